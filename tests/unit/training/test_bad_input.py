"""Whatever people bring: a clear error or a clean result, never a wrong model."""

from pathlib import Path

import numpy as np
import pytest

from headrace.errors import Unavailable
from headrace.training.budget import Budget
from headrace.training.data import read_log
from headrace.training.job import Job
from headrace.training.model import build_model
from headrace.training.publish import check_place
from headrace.training.run import Stages, Trained
from headrace.training.settings import TrainingSettings
from headrace.training.split import split
from headrace.training.team import Team
from headrace.training.tower_stage import TowerStage
from headrace.training.train import main

SMALL = TrainingSettings(width=8, max_epochs=1)


def trained(folder: Path, interactions: str, items: str | None = None) -> Trained:
    """What is made of CSV files, before it is exported."""
    events, catalogue = folder / "events.csv", folder / "items.csv"
    events.write_text(interactions, encoding="utf-8")
    if items is not None:
        catalogue.write_text(items, encoding="utf-8")
    described = catalogue if items is not None else None
    made = Stages(Job(events, described, folder / "bundle"), SMALL).train()
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty; the first line must name the columns"),
        ("user_id,item_id,timestamp\n", "has no rows"),
        ("user_id,rating\nu,3\n", "line 1: lacks the column item_id; it has user_id, rating"),
        ("user_id,item_id\nu,i\nv,j\n", "nobody has three interactions"),
        ("user_id,item_id\n" + "u,i\n" * 9, "nobody has three interactions"),
        ("user_id,item_id\n" + "".join(f"u{n},i\n" for n in range(9)), "nobody has three"),
        ("user_id,item_id,rating\n" + "u,i,a lot\n" * 9, "line 2: column rating: "),
    ],
    ids=["empty", "no rows", "no column", "short", "one event again", "one item", "no number"],
)
def test_what_cannot_be_learned_from_is_an_error_that_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, complaint: str
) -> None:
    events, out = tmp_path / "events.csv", tmp_path / "bundle"
    events.write_text(text, encoding="utf-8")
    assert main(["--interactions", str(events), "--out", str(out), "--threads", "1"]) == 2
    assert complaint in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events.csv"]


def test_one_person_without_ratings_and_with_odd_ids_is_a_model_that_says_it_is_no_good(
    tmp_path: Path,
) -> None:
    rows = "".join(f'"Zoë, 雪","é,{n}",NaN,{1_500_000_000_000 + n}\n' for n in range(12))
    made = trained(
        tmp_path,
        "user_id,item_id,rating,timestamp\n" + rows,
        "item_id,title\n" + "".join(f'"é,{n}",Title {n}\n' for n in range(0, 12, 2)),
    )
    assert np.isnan(made.model.log.ratings).all()
    # The newest two are held out and have no row of their own: content places them.
    assert sorted(made.model.table.ids) == sorted(f"é,{n}" for n in range(10))
    assert made.facts["beats_most_popular"] is False


def test_many_people_on_one_item_again_and_again_is_a_clean_result(tmp_path: Path) -> None:
    rows = "".join(f"u{u},i,{1000 * u + t}\n" for u in range(5) for t in range(4))
    made = trained(tmp_path, "user_id,item_id,timestamp\n" + rows)
    assert len(made.model.table.ids) == 1
    assert all(np.isfinite(value) for value in made.metrics.values())


def test_rows_that_repeat_hundreds_of_thousands_of_times_count_once(tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    rows = "".join(f"u,i{n},{n}\n" for n in range(5))
    events.write_text("user_id,item_id,timestamp\n" + 100_000 * "u,i0,0\n" + 40_000 * rows)
    log = read_log(events)
    assert [log.catalogue[column].item_id for column in log.items] == [f"i{n}" for n in range(5)]


def test_a_person_with_100_000_events_is_learned_from_whole(tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    rows = "".join(f"u,i{n % 50},{600 * n}\n" for n in range(100_000))
    events.write_text("user_id,item_id,timestamp\n" + rows)
    log = read_log(events)
    settings = TrainingSettings(width=8, max_epochs=1, chunk=4096, learning_rate=1e-2)
    model = build_model(log, split(log, "leave-one-out"), settings)
    stage = TowerStage(model, model.split.train_ends, Budget(600), None, Team())
    progress = stage.run(None, lambda _: None, lambda _: None, lambda: 0.0)
    assert progress.learned == 100_000 - 2 - 1
    assert np.isfinite(progress.loss)


def test_a_place_where_no_bundle_can_be_is_told_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be written"):
        check_place(tmp_path / "file" / "bundle")
