"""The figures of docs/quality.md on larger data: `python -m bench.quality_full --data FOLDER`.

Hours. What is done is kept under --out, and the same command goes on after it was stopped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from headrace.bundle import Bundle
from headrace.cli import main as headrace
from headrace.commands.arguments import minutes
from headrace.evaluation.cold import evaluate_cold
from headrace.evaluation.report.cold import write_cold_report
from headrace.evaluation.report.curve import read_curve
from headrace.training.data import prepared_files, read_log
from headrace.training.split import split

_FILES = {
    "ml-1m": "user_id, item_id, position or timestamp; items: item_id, title, year, genres",
    "citeulike-a": "user_id, item_id; items: item_id, tags",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    given = _parser().parse_args(arguments)
    missing = [path for path in _needed(given.data) if not path.is_file()]
    if missing:
        sys.stderr.write(_what_is_expected(given.data, missing))
        return 2
    movies, articles = given.out / "ml-1m", given.out / "citeulike-a"
    status = _next_item(given.data / "ml-1m", movies, given) or _cold_items(
        given.data / "citeulike-a", articles, given
    )
    if status == 0:
        written = given.out / "summary.md"
        written.write_text(summary(movies, articles), encoding="utf-8")
        sys.stdout.write(f"{written}\n")
    return status


def _next_item(data: Path, out: Path, given: argparse.Namespace) -> int:
    """MovieLens-1M: train, set beside the baselines, measure as served."""
    files = _named(data)
    trained = _train(files, out, given)
    if trained:
        return trained
    files += ["--bundle", str(out / "bundle"), "--sampled", "99"]
    how = ["--minutes", str(given.compare_minutes)]
    if _curve(out).exists():
        how += ["--curve", str(_curve(out))]
    return headrace(["compare", *files, *how, "--out", str(out)]) or _evaluate(files, out)


def _cold_items(data: Path, out: Path, given: argparse.Namespace) -> int:
    """CiteULike-a: a fifth of the articles leave training. Its pairs have no order, so that there
    is no next item to compare by."""
    prepared = out / "prepared"
    if not (prepared / "report.json").exists():
        done = headrace(["prepare", *_named(data), "--split", "cold-items", "--out", str(prepared)])
        if done:
            return done
    files = ["--prepared", str(prepared)]
    failed = _train(files, out, given) or _evaluate([*files, "--bundle", str(out / "bundle")], out)
    if failed:
        return failed
    bundle = Bundle.load(str(out / "bundle"))
    interactions, items, holdout = prepared_files(prepared)
    log = read_log(interactions, items)
    figures = evaluate_cold(bundle, log, split(log, holdout))
    about = ["CiteULike-a.", f"Bundle {bundle.model_version}, order of {bundle.manifest.ranking}."]
    curve = read_curve(_curve(out)) if _curve(out).exists() else []
    write_cold_report(figures, out, about, curve=curve)
    return 0


def _curve(out: Path) -> Path:
    return out / "checkpoint" / "curve.jsonl"


def _train(data: Sequence[str], out: Path, given: argparse.Namespace) -> int:
    bundle = out / "bundle"
    if (bundle / "manifest.json").exists():
        return 0
    how = ["--minutes", str(given.train_minutes), "--checkpoint", str(out / "checkpoint")]
    return headrace(["train", *data, *how, "--out", str(bundle)])


def _evaluate(asked: Sequence[str], out: Path) -> int:
    """The served pipeline's figures, shown and kept as `served.txt`."""
    said = StringIO()
    with redirect_stdout(said):
        status = headrace(["evaluate", *asked])
    sys.stdout.write(said.getvalue())
    if status == 0:
        (out / "served.txt").write_text(said.getvalue(), encoding="utf-8")
    return status


def summary(movies: Path, articles: Path) -> str:
    """The first table of the comparison, and what was measured as served."""
    _, first, *_ = (movies / "report.md").read_text(encoding="utf-8").split("\n## ")
    served = (articles / "served.txt").read_text(encoding="utf-8")
    return (
        f"# MovieLens-1M\n\n## {first}\n\n"
        f"```\n{(movies / 'served.txt').read_text(encoding='utf-8')}```\n\n"
        f"# CiteULike-a, cold items\n\n```\n{served}```\n"
    )


def _named(data: Path) -> list[str]:
    interactions, items = _files_of(data)
    return ["--interactions", str(interactions), "--items", str(items)]


def _needed(data: Path) -> list[Path]:
    return [path for name in _FILES for path in _files_of(data / name)]


def _files_of(data: Path) -> tuple[Path, Path]:
    return data / "interactions.csv.gz", data / "items.csv.gz"


def _what_is_expected(data: Path, missing: Sequence[Path]) -> str:
    lines = [f"{data}: lacks {', '.join(str(path.relative_to(data)) for path in missing)}."]
    lines += ["Name a folder that holds, each as interactions.csv.gz and items.csv.gz:"]
    lines += [f"  {name}  {columns}" for name, columns in _FILES.items()]
    return "\n".join([*lines, "make report-full DATA=/path/to/folder", ""])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.quality_full", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--out", type=Path, default=Path("reports"))
    parser.add_argument(
        "--train-minutes", type=minutes, default=120.0, help="for each bundle (120)"
    )
    parser.add_argument(
        "--compare-minutes", type=minutes, default=300.0, help="for fitting baselines (300)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
