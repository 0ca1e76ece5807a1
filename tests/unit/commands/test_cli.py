import subprocess
import sys
from pathlib import Path

import pytest

from headrace.cli import main


def test_alone_it_lists_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "evaluate" in capsys.readouterr().out


def test_an_unknown_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evalute"]) == 2
    assert "no command evalute" in capsys.readouterr().err


def test_a_bundle_is_shown_after_a_check(
    toy_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bundle", "show", str(toy_bundle)]) == 0
    assert "items     60" in capsys.readouterr().out


def test_a_folder_that_is_no_bundle_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bundle", "show", str(tmp_path)]) == 2
    assert "manifest.json" in capsys.readouterr().err


def test_evaluate_refuses_a_bundle_of_other_data(
    toy_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = tmp_path / "events.csv"
    events.write_text("user_id,item_id\n" + "".join(f"u,item-{i}\n" for i in range(4)))
    given = ["evaluate", "--bundle", str(toy_bundle), "--interactions", str(events)]
    assert main(given) == 2
    assert "may have learned from their test part" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_an_error_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events, out = tmp_path / "events.csv", tmp_path / "taken"
    out.write_text("not a folder")
    assert main(["compare", "--interactions", str(events), "--out", str(out)]) == 2
    assert str(out) in capsys.readouterr().err


@pytest.mark.parametrize("minutes", ["0", "-1", "nan", "inf", "soon"])
def test_minutes_must_be_a_span_of_time(
    minutes: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--interactions", "x.csv", "--out", str(tmp_path), "--minutes", minutes]
    with pytest.raises(SystemExit):
        main(["compare", *given])
    assert "--minutes" in capsys.readouterr().err


def test_evaluating_needs_no_torch() -> None:
    code = "import sys, headrace.commands.evaluate; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
