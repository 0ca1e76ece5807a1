"""Everything that is said about one model on one part of a split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.bundle.content import ItemContent
from headrace.evaluation.intervals import Interval, interval
from headrace.evaluation.judgement import auc_of_ranks
from headrace.evaluation.metrics import Ranks, Values, values_by_name
from headrace.evaluation.protocol import Questions
from headrace.evaluation.shown import coverage, diversity, novelty
from headrace.evaluation.slices import slices

K = 10
HEADLINE = (f"HR@{K}", f"NDCG@{K}")


@dataclass(frozen=True)
class World:
    """What lists are measured against.

    Shapes: counts [N] (events in training), categories [N,C]; `people` took part in training.
    """

    counts: NDArray[np.int64]
    categories: NDArray[np.float32]
    people: int

    @classmethod
    def of(cls, catalogue: Sequence[ItemContent], counts: NDArray[np.int64], people: int) -> World:
        names = {name for item in catalogue for name in item.categories}
        column = {name: index for index, name in enumerate(sorted(names))}
        categories = np.zeros((len(catalogue), max(1, len(column))), dtype=np.float32)
        for row, item in enumerate(catalogue):
            categories[row, [column[name] for name in item.categories]] = 1
        return cls(counts, categories, people)


@dataclass(frozen=True)
class Slice:
    """Some of the questions: how many, and what was reached on them."""

    questions: int
    values: Mapping[str, Interval]


@dataclass(frozen=True)
class Measured:
    """`values` [Q] by metric: what each person got. `lists`: metrics that lists have as a whole."""

    values: Mapping[str, Values]
    intervals: Mapping[str, Interval]
    lists: Mapping[str, float]
    slices: Mapping[str, Slice]


def measure(
    ranks: Ranks,
    top: NDArray[np.int64],
    asked: Questions,
    world: World,
    *,
    shown: NDArray[np.int64] | None = None,
    seed: int = 0,
) -> Measured:
    """Shapes: ranks [Q], top [Q,K] (columns shown; -1: the list is at its end), shown [Q] (items
    that were ranked; None: only candidates were, so that there is no AUC)."""
    whole = top[(top >= 0).all(axis=1)]
    values = values_by_name(ranks, K)
    if shown is not None:
        values["AUC"] = auc_of_ranks(ranks, shown)
    marks = slices(asked, world.counts)
    return Measured(
        values=values,
        intervals={name: interval(of_people, seed=seed) for name, of_people in values.items()},
        lists=_of_lists(whole, world),
        slices={
            name: Slice(
                int(mark.sum()),
                {metric: interval(values[metric][mark], seed=seed) for metric in HEADLINE},
            )
            for name, mark in marks.items()
        },
    )


def _of_lists(whole: NDArray[np.int64], world: World) -> Mapping[str, float]:
    """Of full lists; nothing where there are none, in a catalogue of fewer than two unseen items.

    Shapes: whole [B,K].
    """
    if not len(whole) or whole.shape[1] < 2:
        return {}
    return {
        f"coverage@{K}": coverage(whole, len(world.counts)),
        f"novelty@{K}": novelty(whole, world.counts, world.people),
        f"diversity@{K}": diversity(whole, world.categories),
    }
