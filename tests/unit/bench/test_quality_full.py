from pathlib import Path

import pytest

from bench.quality_full import main, summary
from headrace.evaluation.report.markdown import markdown
from headrace.evaluation.report.tables import Table


def test_data_that_are_not_there_are_named_with_what_is_expected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ml-1m").mkdir()
    (tmp_path / "ml-1m" / "items.csv.gz").touch()
    assert main(["--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "lacks ml-1m/interactions.csv.gz, citeulike-a/interactions.csv.gz" in said
    assert "ml-1m/items.csv.gz" not in said
    assert "make report-full DATA=" in said
    assert not (tmp_path / "out").exists()


def test_the_summary_begins_with_the_first_table_of_the_report(tmp_path: Path) -> None:
    tables = [Table(title, "Test.", ["model"], [[title]]) for title in ("Next item", "Others")]
    movies, articles = tmp_path / "ml-1m", tmp_path / "citeulike-a"
    for folder in (movies, articles):
        folder.mkdir()
        (folder / "served.txt").write_text(f"served of {folder.name}\n")
    report = markdown("How good", "About.", {"plot.svg": "a plot"}, tables)
    (movies / "report.md").write_text(report)
    said = summary(movies, articles)
    assert said.startswith("# MovieLens-1M\n\n## Next item\n\nTest.\n\n| model |\n")
    assert "Others" not in said
    assert said.index("served of ml-1m") < said.index("served of citeulike-a")
