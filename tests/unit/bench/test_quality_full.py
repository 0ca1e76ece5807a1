from pathlib import Path

import pytest

from bench.quality_full import main


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
