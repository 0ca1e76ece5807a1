"""How well "liked" can be told at all: `python -m bench.liked --prepared DATA --users FILE`.

Gradient boosting over what can be counted in the ratings before, with the expected rating of SVD
among it, and over who the person is. Nothing of it is served: it says how much a better model of
ratings could give. DATA is a folder of `headrace prepare --split newest-fifth`, FILE a CSV with
user_id, age, gender and occupation.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import surprise
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from bench.report import print_table
from headrace.evaluation.judgement import LIKED, auc, best_threshold, judged
from headrace.evaluation.rated import given_ratings, rated_events
from headrace.training.data import read_log
from headrace.training.log import EventLog
from headrace.training.split import Part, Split, split

Numbers = NDArray[np.float64]
Events = NDArray[np.int64]

# Facts of so much of a person's training part, asked about what follows up to the next share: the
# trees must learn from facts that do not know the answer.
_CUTS = ((0.5, 0.65), (0.65, 0.8), (0.8, 1.0))
_DAMPING = 5.0
_GROUP_DAMPING = 10.0
_RECENT = (1, 10, 30)
_SEEDS = 5
_AGES = (20, 25, 35, 45, 55)
_HELD_OUT = ("validation", "test")


class Facts:
    """What ratings tell of other ones: `known` [K] are the events that are counted."""

    def __init__(self, log: EventLog, known: Events, owners: Events, groups: Events) -> None:
        """Shapes: owners [E], the person of each event; groups [U,G], to which a person belongs."""
        self._log, self._owners, self._groups = log, owners, groups
        users, items = owners[known], log.items[known]
        ratings = log.ratings[known].astype(np.float64)
        self._svd = _svd(users, items, ratings)
        self._item_counts = np.bincount(items, minlength=len(log.catalogue))
        self._user_counts = np.bincount(users, minlength=log.users)
        self._items = _means(items, ratings - ratings.mean(), self._item_counts)
        left = ratings - ratings.mean() - self._items[items]
        self._users = _means(users, left, self._user_counts)
        rest = left - self._users[users]
        likes = (ratings >= LIKED) - np.mean(ratings >= LIKED)
        self._item_likes = _means(items, likes, self._item_counts)
        self._user_likes = _means(users, likes, self._user_counts)
        self._spread = np.sqrt(_means(users, rest**2, self._user_counts))
        by_person = pd.Series(left).groupby(users)
        self._recent = np.zeros((log.users, len(_RECENT)))
        for column, count in enumerate(_RECENT):
            newest = pd.Series(left)[by_person.cumcount(ascending=False) < count]
            mean = newest.groupby(users[newest.index]).mean()
            self._recent[mean.index, column] = mean
        self._kinds = _categories(log)
        liking, touched = np.zeros((2, log.users, self._kinds.shape[1]))
        np.add.at(liking, users, rest[:, None] * self._kinds[items])
        np.add.at(touched, users, self._kinds[items])
        self._liking = liking / (touched + _DAMPING)
        self._of_groups = [
            self._group(group[users], items, rest, int(group.max()) + 1) for group in groups.T
        ]

    def of(self, events: Events) -> Numbers:
        """Shapes: [Q] -> [Q,F]."""
        users, items = self._owners[events], self._log.items[events]
        kinds = self._kinds[items]
        fond = (self._liking[users] * kinds).sum(axis=1) / np.maximum(kinds.sum(axis=1), 1)
        expected = [
            self._svd.predict(user, item).est
            for user, item in zip(users.tolist(), items.tolist(), strict=True)
        ]
        columns = [
            np.array(expected),
            *(self._items[items], self._users[users], self._items[items] + self._users[users]),
            *(self._item_counts[items], self._user_counts[users]),
            *(self._item_likes[items], self._user_likes[users], self._spread[users], fond),
            *self._recent[users].T,
            *self._groups[users].T,
            *(
                of_group[group[users], items]
                for group, of_group in zip(self._groups.T, self._of_groups, strict=True)
            ),
        ]
        return np.stack(columns, axis=1).astype(np.float64)

    def _group(self, group: Events, items: Events, rest: Numbers, size: int) -> Numbers:
        """How much more a group of people likes each item than it would be expected to."""
        total, count = np.zeros((2, size, len(self._log.catalogue)))
        np.add.at(total, (group, items), rest)
        np.add.at(count, (group, items), 1)
        liked: Numbers = total / (count + _GROUP_DAMPING)
        return liked


def _svd(users: Events, items: Events, ratings: Numbers) -> surprise.AlgoBase:
    table = pd.DataFrame({"user": users, "item": items, "rating": ratings})
    reader = surprise.Reader(rating_scale=(1, 5))
    known = surprise.Dataset.load_from_df(table, reader).build_full_trainset()
    return surprise.SVD(n_epochs=30, reg_all=0.08, random_state=0).fit(known)


def _means(owners: Events, values: Numbers, counts: Events) -> Numbers:
    means: Numbers = np.bincount(owners, values, minlength=len(counts)) / (counts + _DAMPING)
    return means


def _categories(log: EventLog) -> Numbers:
    names = sorted({name for item in log.catalogue for name in item.categories})
    return np.array([[name in item.categories for name in names] for item in log.catalogue], float)


def _groups(log: EventLog, people: Path | None) -> Events:
    """Age, gender and occupation of each person as numbers: [U,3]; [U,0] where it is not known."""
    if people is None:
        return np.zeros((log.users, 0), dtype=np.int64)
    table = (
        pd.read_csv(people, dtype={"user_id": str}).set_index("user_id").reindex(list(log.user_ids))
    )
    codes = [pd.Categorical(table[name]).codes for name in ("gender", "occupation")]
    return np.stack([np.digitize(table.age, _AGES), *codes], axis=1).astype(np.int64)


def boosted(log: EventLog, parts: Split, groups: Events) -> tuple[Numbers, Numbers]:
    """The chance of "liked" for the ratings held out, validation and test: [Q] each."""
    owners = np.repeat(np.arange(log.users), np.diff(log.offsets))
    rated = ~np.isnan(log.ratings)
    training = parts.training_events(log) & rated
    count = parts.train_ends - log.offsets[:-1]
    at = (np.arange(len(owners)) - log.offsets[owners]) / np.maximum(count, 1)[owners]

    def facts(events: NDArray[np.bool_]) -> Facts:
        return Facts(log, np.flatnonzero(training & events), owners, groups)

    lessons, answers = [], []
    for known_until, until in _CUTS:
        asked = np.flatnonzero(training & (at >= known_until) & (at < until))
        lessons.append(facts(at < known_until).of(asked))
        answers.append(log.ratings[asked] >= LIKED)
    of_training = facts(np.ones(len(owners), dtype=np.bool_))
    held_out = [of_training.of(_asked(log, parts, name).positions) for name in _HELD_OUT]
    ensemble = [
        HistGradientBoostingClassifier(
            learning_rate=0.03,
            max_leaf_nodes=15,
            max_iter=200,
            min_samples_leaf=60,
            l2_regularization=5.0,
            random_state=seed,
        ).fit(np.concatenate(lessons), np.concatenate(answers))
        for seed in range(_SEEDS)
    ]
    validation, test = (
        np.mean([trees.predict_proba(questions)[:, 1] for trees in ensemble], axis=0)
        for questions in held_out
    )
    return validation, test


def _asked(log: EventLog, parts: Split, name: str) -> Part:
    return rated_events(log, parts, parts.held_out[name])


def _row(name: str, told: tuple[Numbers, Numbers], liked: Sequence[NDArray[np.bool_]]) -> list[str]:
    threshold = best_threshold(told[0], liked[0])
    figures = [*judged(told[1] >= threshold, liked[1]), auc(told[1], liked[1])]
    return [name, *(f"{figure:.4f}" for figure in figures)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prepared", type=Path, required=True)
    parser.add_argument("--users", type=Path)
    given = parser.parse_args()
    log = read_log(given.prepared)
    parts = split(log, "prepared")
    liked = [given_ratings(log, _asked(log, parts, name)) >= LIKED for name in _HELD_OUT]
    rows = [_row("gradient boosting", boosted(log, parts, _groups(log, None)), liked)]
    if given.users is not None:
        told = boosted(log, parts, _groups(log, given.users))
        rows.append(_row("the same, with age, gender and occupation", told, liked))
    print_table(
        f"Liked, {len(liked[1]):,} ratings of the test part; split {parts.digest[:12]}",
        ["", "accuracy", "precision", "recall", "F1", "AUC"],
        rows,
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
