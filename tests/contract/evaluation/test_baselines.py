"""One suite for every baseline, on people who keep to a group of items and go round it in order."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.bundle.content import ItemContent
from headrace.evaluation.baselines.base import Baseline, People, Training, validation_ndcg
from headrace.evaluation.baselines.neural.learning import Effort
from headrace.evaluation.baselines.registry import NEURAL, SIMPLE

EVERY = {**SIMPLE, **NEURAL}
IMPERSONAL = ("most popular", "recently popular")
GROUPS, SIZE = 3, 8
ITEMS = GROUPS * SIZE + 1  # the last one nobody ever had
# Epochs end a fit, not time. Factors take many: an epoch of 450 events is two steps.
EFFORT = Effort(seconds=60, max_epochs=12)
LONG_EFFORT = Effort(seconds=60, max_epochs=200, patience=200)
EFFORTS = {
    **dict.fromkeys(("GMF", "MLP", "NeuMF"), LONG_EFFORT),
    "DeepFM": Effort(seconds=60, max_epochs=100, patience=100),
    "DIN": Effort(seconds=60, max_epochs=40, patience=40),
}


def made(name: str) -> Baseline:
    return EVERY[name](EFFORTS.get(name, EFFORT))


def world(people: int = 90, length: int = 5) -> Training:
    """Person p goes round group p % 3 from a place of their own; the next item is validation."""
    starts = np.random.default_rng(0).integers(0, SIZE, people)
    rounds = [
        p % GROUPS * SIZE + (start + np.arange(length + 1)) % SIZE for p, start in enumerate(starts)
    ]
    histories = [items[:-1].astype(np.int64) for items in rounds]
    catalogue = [
        ItemContent(f"i{i}", f"word{i // SIZE} number{i}", categories=(f"g{i // SIZE}",))
        for i in range(ITEMS)
    ]
    return Training(
        catalogue,
        histories,
        People(np.arange(people), histories),
        np.array([items[-1] for items in rounds]),
    )


TRAIN = world()
SOME = People(np.arange(5), TRAIN.histories[:5])


@pytest.fixture(scope="module", params=EVERY)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def fitted(name: str) -> Baseline:
    baseline = made(name)
    baseline.fit(TRAIN)
    return baseline


def test_every_item_gets_a_finite_score(fitted: Baseline) -> None:
    scores = fitted.score(SOME)
    assert scores.shape == (5, ITEMS)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()


def test_one_person_is_scored_as_in_company(fitted: Baseline) -> None:
    alone = fitted.score(SOME.some(slice(2, 3)))
    np.testing.assert_allclose(alone[0], fitted.score(SOME)[2], rtol=1e-3, atol=1e-4)


def test_a_person_without_history_is_scored(fitted: Baseline) -> None:
    nothing = People(np.array([0]), [np.zeros(0, dtype=np.int64)])
    assert np.isfinite(fitted.score(nothing)).all()


def test_the_same_seed_learns_the_same(name: str, fitted: Baseline) -> None:
    again = made(name)
    again.fit(TRAIN)
    np.testing.assert_allclose(again.score(SOME), fitted.score(SOME), rtol=1e-3, atol=1e-4)


def test_the_own_group_is_preferred(name: str, fitted: Baseline) -> None:
    if name in IMPERSONAL:
        pytest.skip("gives everybody the same")
    # By chance .18: the target is one of some twenty items that a person did not have.
    assert validation_ndcg(fitted, TRAIN) > 0.45
