"""The folder appears whole or not at all, and the command says what happened."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headrace.errors import DataInvalid, Unavailable
from headrace.training.preparation import file_source, prepare
from headrace.training.preparation.source import CHUNK
from headrace.training.prepare import main
from tests.unit.training.disk import room_for
from tests.unit.training.preparation.files import Prepared

EVENTS = "user_id,item_id\nu,a\nu,b\nu,c\n"


def test_without_room_nothing_is_left_behind(tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    rows = (f"user-{n},item-{n}\n" for n in range(5_000))
    events.write_text("user_id,item_id\n" + "".join(rows))
    for _ in range(2):  # the second attempt finds nothing in its way
        with room_for(20_000), pytest.raises(Unavailable, match=r"cannot be written: .*too large"):
            prepare(file_source(events), None, tmp_path / "prepared")
    assert [path.name for path in tmp_path.iterdir()] == ["events.csv"]


def test_prepared_data_is_replaced_and_nothing_else_is(tmp_path: Path, prepared: Prepared) -> None:
    prepared.of(EVENTS)
    prepared.of(EVENTS + "u,d\n")
    assert prepared.histories() == {"u": ["a", "b", "c", "d"]}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events.csv", "prepared"]
    (prepared.out / "report.json").unlink()
    with pytest.raises(DataInvalid, match="holds something else than prepared data"):
        prepared.of(EVENTS)


def test_a_failed_attempt_leaves_the_folder_as_it_was(prepared: Prepared) -> None:
    prepared.of(EVENTS)
    with pytest.raises(DataInvalid, match="lacks the column"):
        prepared.of("who,what\nu,a\n")
    assert prepared.histories() == {"u": ["a", "b", "c"]}


def test_the_command_prints_the_report_and_the_name_of_the_split(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "e.csv").write_text(EVENTS)
    out = tmp_path / "out"
    assert main(["--interactions", str(tmp_path / "e.csv"), "--out", str(out)]) == 0
    facts = json.loads((out / "report.json").read_text("utf-8"))
    digest = facts["outcome"]["split_sha256"]
    said = capsys.readouterr().out
    assert digest in said
    assert said.splitlines()[-1] == (
        f"{out}: 1 people, 3 items, 3 events, 0 rows left out, split={digest[:12]}"
    )
    assert digest in (out / "report.md").read_text("utf-8")


def test_the_command_shows_how_far_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "e.csv").write_text(EVENTS)
    assert main(["--interactions", str(tmp_path / "e.csv"), "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().err
    assert f"reading {tmp_path / 'e.csv'}: 100%" in said
    assert "rows/s" in said
    assert "writing: 100%" in said


@pytest.mark.parametrize("name", ["e.csv", "e.csv.gz", "e.parquet"])
def test_how_much_of_a_file_is_read_is_known_before_its_end(tmp_path: Path, name: str) -> None:
    rows = CHUNK + CHUNK // 4
    frame = pd.DataFrame({"user_id": np.arange(rows) + 10**6, "item_id": 1})
    path = tmp_path / name
    frame.to_parquet(path) if name == "e.parquet" else frame.to_csv(path, index=False)
    source = file_source(path)
    assert source.share_read() is None
    shares = [source.share_read() for _ in source.chunks()]
    assert shares == pytest.approx([0.8, 1.0], abs=0.05)


def test_the_command_names_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "e.csv"
    assert main(["--interactions", str(missing), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == f"headrace: {missing}: no such file\n"


def test_once_leaves_what_is_there_and_refuses_what_was_prepared_otherwise(
    tmp_path: Path, prepared: Prepared, capsys: pytest.CaptureFixture[str]
) -> None:
    events = tmp_path / "events.csv"
    events.write_text(EVENTS)
    once = ["--interactions", str(events), "--out", str(prepared.out), "--once"]
    assert main(once) == 0
    events.write_text(EVENTS + "u,d\n")
    assert main(once) == 0
    assert capsys.readouterr().out.endswith(f"{prepared.out}: is there already\n")
    assert prepared.histories() == {"u": ["a", "b", "c"]}
    assert main([*once, "--split", "none"]) == 2
    assert "was prepared with other settings" in capsys.readouterr().err
