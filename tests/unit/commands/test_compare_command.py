from pathlib import Path

import pytest

from headrace.cli import main


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    events = tmp_path / "events.csv"
    rows = [f"u{user},i{(user + step) % 7},{step}" for user in range(5) for step in range(4)]
    events.write_text("user_id,item_id,position\n" + "\n".join(rows) + "\n")
    return ["--interactions", str(events), "--out", str(tmp_path / "out")]


def test_the_same_command_goes_on_where_it_was(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *files, "--models", "Most Popular, ease"]) == 0
    assert "known from before" not in capsys.readouterr().out
    assert main(["compare", *files, "--models", "most popular,EASE,svd"]) == 0
    said = capsys.readouterr().out
    assert said.count("known from before") == 2
    assert "[3/3]    SVD" in said
    assert "of fitting left)" in said


def test_the_report_is_where_it_was_asked_for(files: list[str], tmp_path: Path) -> None:
    assert main(["compare", *files, "--models", "most popular", "--sampled", "2"]) == 0
    text = (tmp_path / "out" / "report.md").read_text("utf-8")
    assert "## Among 2 items drawn at random" in text
    assert "| most popular | MostPopular() |" in text


def test_a_model_that_there_is_not_is_answered_with_those_that_there_are(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["compare", *files, "--models", "EASE,BERT9Rec"])
    said = " ".join(capsys.readouterr().err.split())
    assert "there is no BERT9Rec; there are: most popular," in said


def test_no_fewer_than_no_items_can_be_drawn(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["compare", *files, "--sampled", "-1"])
    assert "--sampled: must be 0 or more" in capsys.readouterr().err


def test_a_curve_that_is_none_is_an_error_before_the_work(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *files, "--curve", str(tmp_path / "none.jsonl")]) == 2
    said = capsys.readouterr()
    assert "none.jsonl" in said.err
    assert said.out == ""
