"""What cannot be asked for is named before anything is read."""

from pathlib import Path

import pytest

from headrace.cli import main


@pytest.fixture
def database_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_DATABASE_URL", "postgresql://127.0.0.1:1/none")


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--n", "0", "n: must be 1 to 200, is 0"),
        ("--n", "10000", "n: must be 1 to 200, is 10000"),
        ("--candidates", "0", "candidates: must be 1 to 2,000, is 0"),
        ("--format", "xlsx", "format: must be parquet or csv or kafka, is xlsx"),
        ("--format", "kafka", "kafka_topic: must be given for format kafka, and for no other"),
        ("--active-since", "2026-01-31", "active_since: must be a moment with its zone"),
        (
            "--segment",
            "gold",
            "segment: must be best or loyal or promising or cooling or at_risk or lost, is gold",
        ),
        ("--part-users", "0", "part_users: must be 1 or more, is 0"),
        ("--partition", "3/2", "partition: must be i/k with 1 <= i <= k, is 3/2"),
    ],
)
@pytest.mark.usefixtures("database_url")
def test_each_wrong_field_is_named(
    option: str, value: str, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["batch", "--bundle", "none", "--out", str(out), option, value]) == 2
    assert complaint in capsys.readouterr().err
    assert not out.exists()


def test_without_a_database_the_variable_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEADRACE_DATABASE_URL", raising=False)
    assert main(["batch", "--bundle", "none", "--out", str(tmp_path)]) == 2
    assert "HEADRACE_DATABASE_URL is not set" in capsys.readouterr().err


@pytest.mark.usefixtures("database_url")
def test_people_are_chosen_in_one_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--segment", "best", "--active-since", "2026-01-31T00:00Z"]
    assert main(["batch", "--bundle", "none", "--out", str(tmp_path / "out"), *given]) == 2
    assert "segment: must be given without users and active_since" in capsys.readouterr().err
