"""Ratings that depend on whose they are and what of: means cannot tell them."""

import dataclasses

import numpy as np
import pytest
import torch

from headrace.bundle.known import KnownItems, Neighbours
from headrace.bundle.table import ItemTable
from headrace.evaluation.rated import Means, given_ratings
from headrace.evaluation.ratings import errors
from headrace.models.rating import RatingOutput, Taste
from headrace.training.budget import Budget
from headrace.training.lists import CatalogueFacts
from headrace.training.log import EventLog
from headrace.training.ratings import item_offsets
from headrace.training.split import Split, split
from headrace.training.tastes import RatedPart, TasteFit, people_tastes
from tests.unit.training.logs import log_of

USERS, ITEMS, LENGTH, WIDTH = 150, 40, 24, 8


def opposites() -> EventLog:
    """Half of the people like even items and dislike odd ones, the others the other way round."""
    random = np.random.default_rng(0)
    log = log_of(*(random.permutation(ITEMS)[:LENGTH].tolist() for _ in range(USERS)), items=ITEMS)
    owners = np.repeat(np.arange(USERS), LENGTH)
    liked = (owners + log.items) % 2 == 0
    ratings = np.where(liked, 4.5, 1.5) + random.normal(0, 0.3, len(liked))
    return dataclasses.replace(log, ratings=np.clip(ratings, 1, 5).astype(np.float32))


def facts_of(log: EventLog, parts: Split) -> CatalogueFacts:
    """Vectors that tell even from odd, among noise."""
    random = np.random.default_rng(1)
    vectors = random.normal(size=(ITEMS, WIDTH)).astype(np.float32)
    vectors[:, 0] = np.where(np.arange(ITEMS) % 2, 1.0, -1.0)
    counts = log.counts(parts.training_events(log))
    ids = np.array([item.item_id for item in log.catalogue])
    table = ItemTable(ids, counts, item_offsets(log, parts.training_events(log)))
    return CatalogueFacts(
        torch.from_numpy(vectors),
        torch.zeros(ITEMS),
        np.log1p(counts).astype(np.float32),
        np.zeros((ITEMS, 1), dtype=np.float32),
        np.zeros((ITEMS, 1), dtype=np.float32),
        np.arange(1, ITEMS + 1),
        KnownItems(table, Neighbours.none(ITEMS)),
    )


@pytest.fixture(scope="module")
def world() -> tuple[EventLog, Split, CatalogueFacts]:
    log = opposites()
    parts = split(log, "leave-one-out")
    return log, parts, facts_of(log, parts)


def fitting(world: tuple[EventLog, Split, CatalogueFacts]) -> TasteFit:
    torch.manual_seed(0)
    log, parts, facts = world
    return TasteFit(Taste(WIDTH, 4), RatingOutput(WIDTH, 4), log, parts, facts=facts, seed=0)


def test_a_fitted_taste_tells_what_means_cannot(
    world: tuple[EventLog, Split, CatalogueFacts],
) -> None:
    log, parts, _ = world
    fit = fitting(world)
    endless = Budget(1, clock=lambda: 0.0)
    fit.run(RatedPart.of(log, parts, parts.validation, USERS), endless)
    means = errors(Means(log, parts).ratings(parts.test), given_ratings(log, parts.test)).rmse
    assert means > 1.4
    assert fit.rmse(RatedPart.of(log, parts, parts.test, USERS)) < 0.6


def test_the_weights_kept_are_never_worse_than_where_they_began(
    world: tuple[EventLog, Split, CatalogueFacts],
) -> None:
    log, parts, _ = world
    fit, judged = fitting(world), RatedPart.of(log, parts, parts.validation, USERS)
    before = fit.rmse(judged)
    fit.run(judged, Budget(0))
    assert fit.rmse(judged) == before


def test_a_taste_depends_on_what_came_before_the_position_alone(
    world: tuple[EventLog, Split, CatalogueFacts],
) -> None:
    log, _, facts = world
    taste = Taste(WIDTH, 4)
    users, positions = np.array([3, 7, 9]), log.offsets[[3, 7, 9]] + np.array([0, 5, LENGTH])
    found = people_tastes(taste, log, facts.vectors, users, positions)
    changed = dataclasses.replace(log, ratings=log.ratings.copy())
    changed.ratings[positions[1] :] = 1.0
    again = people_tastes(taste, changed, facts.vectors, users, positions)
    assert not found[0].any()
    torch.testing.assert_close(found[1], again[1])
    assert not torch.equal(found[2], again[2])
