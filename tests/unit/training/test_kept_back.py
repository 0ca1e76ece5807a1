"""What the head learns from: what the towers left out, some of it among items that are new."""

import numpy as np
import pytest

from headrace.training.kept_back import head_lessons, head_part
from headrace.training.model import Model, build_model
from headrace.training.settings import TrainingSettings
from headrace.training.split import split
from tests.unit.evaluation.toy import toy_log


@pytest.fixture(scope="module")
def model() -> Model:
    log = toy_log(people=200, shortest=6)
    model = build_model(log, split(log, "leave-one-out"), TrainingSettings(width=8))
    model.towers.eval()  # as it is once the towers are fitted
    return model


def test_each_event_is_in_one_lesson(model: Model) -> None:
    positions = np.concatenate([part.positions for _, part in head_lessons(model)])
    assert sorted(positions) == sorted(head_part(model).positions)
    assert all(len(part.positions) for _, part in head_lessons(model))


def test_a_quarter_of_the_items_is_new_to_one_lesson(model: Model) -> None:
    (plain, _), (other, _) = head_lessons(model)
    assert plain is model
    known, held = other.facts(), model.facts()
    new = known.rows == 0
    assert 0.1 < new.mean() < 0.4
    assert not known.popularity[new].any()
    assert (known.popularity[~new] == held.popularity[~new]).all()
    with_id, content = held.vectors[new], known.vectors[new]
    assert not np.allclose(with_id, content)
    assert np.allclose(known.vectors[~new], held.vectors[~new])


def test_of_a_new_item_nothing_is_counted(model: Model) -> None:
    (_, (other, _)) = head_lessons(model)
    facts = other.facts()
    everything = np.arange(len(facts.rows))[None]
    counted = facts.known.counted(facts.rows[everything], facts.rows[everything])
    among = facts.rows[everything[0]] == 0
    assert not counted.ratings[0, among].any()
    # Of the three links each has its K candidates one after the other.
    assert not among[counted.pairs.candidates % len(among)].any()
    assert not among[counted.pairs.recent].any()
