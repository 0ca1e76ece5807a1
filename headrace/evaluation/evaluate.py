"""A bundle's figures for leave-one-out, measured on the pipeline that serves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from headrace.bundle import Bundle
from headrace.bundle.scoring import CANDIDATES
from headrace.errors import DataInvalid, FailedPrecondition
from headrace.evaluation.intervals import Interval
from headrace.evaluation.losses import (
    Asked,
    Loss,
    loss_of_candidates,
    loss_of_export,
    loss_of_index,
)
from headrace.evaluation.measured import K, Measured, World, measure
from headrace.evaluation.rated import Means, Numbers, Rated, given_ratings, rated, rated_events
from headrace.evaluation.sampled import drawn_items, figures, served_ranks_among
from headrace.evaluation.served import ServedLists, ServedPipeline, recent_items
from headrace.training.log import EventLog
from headrace.training.split import Part, Split, split


@dataclass(frozen=True)
class Losses:
    """Of the test part. `candidates` is None where retrieval order is what is served."""

    index: Loss
    candidates: Loss | None
    export: Loss | None


@dataclass(frozen=True)
class Evaluation:
    """By part, `validation` and `test`: what is served, and retrieval order beside it. `ratings`:
    the head's and those of means, of all that is held out; none where the bundle or the test part
    knows no ratings. `sampled`: of the test part, `retrieval` and `served`, among a few items drawn
    at random."""

    split: Split
    served: Mapping[str, Measured]
    retrieval: Mapping[str, Measured]
    losses: Losses
    ratings: Mapping[str, Rated]
    sampled: Mapping[str, Mapping[str, Interval]]


def leave_one_out(log: EventLog) -> Split:
    """The split that figures are given for.

    Raises:
        DataInvalid: nobody has three events.
    """
    parts = split(log, "leave-one-out")
    if not len(parts.test.users):
        raise DataInvalid("nobody has three interactions or more, so there is nothing to hold out")
    return parts


def refuse_seen_test(bundle: Bundle, parts: Split) -> None:
    """Figures mean something only where the test part was kept from training.

    Raises:
        FailedPrecondition: the bundle was trained on another split, or on everything.
    """
    manifest = bundle.manifest
    if manifest.split_sha256 != parts.digest:
        raise FailedPrecondition(
            f"bundle {manifest.model_version} was trained with holdout "
            f"{manifest.training.get('holdout', 'unknown')} on split "
            f"{manifest.split_sha256[:12] or 'unknown'}, these files give {parts.digest[:12]}: it "
            "may have learned from their test part; evaluate it on the files that it was trained "
            "on with --holdout leave-one-out"
        )


def evaluate(
    bundle: Bundle,
    log: EventLog,
    *,
    parts: Split | None = None,
    candidates: int = CANDIDATES,
    sampled: int = 0,
    classic_ratings: bool = False,
    seed: int = 0,
    may_know_test: bool = False,
) -> Evaluation:
    """`parts`: what is held out; None: leave-one-out. `sampled`: rank among so many items drawn
    at random as well; 0 for not. `classic_ratings`: fit classic models of ratings too.
    `may_know_test`: measure a bundle that may have learned from the test part as well.

    Raises: DataInvalid, FailedPrecondition, as the two above; DataInvalid where fewer can be
    drawn.
    """
    parts = parts or leave_one_out(log)
    if not may_know_test:
        refuse_seen_test(bundle, parts)
    pipeline = ServedPipeline(bundle, log.catalogue)
    world = World.of(log.catalogue, log.counts(parts.training_events(log)), log.users)
    served: dict[str, Measured] = {}
    retrieval: dict[str, Measured] = {}
    for name, part in _by_name(parts).items():
        asked = asked_of(pipeline, log, part)
        found, shown = serve(pipeline, asked, candidates)
        for measured, lists in ((retrieval, found), (served, shown)):
            measured[name] = measured_lists(lists, asked, world, seed=seed)
    gains = served["test"].values[f"NDCG@{K}"]
    losses = Losses(
        index=loss_of_index(pipeline, asked, found),
        candidates=loss_of_candidates(pipeline, asked, candidates, seed=seed)
        if bundle.manifest.ranking == "ncf"
        else None,
        export=loss_of_export(bundle.manifest, gains),
    )
    ratings = ratings_of(pipeline, log, parts) if bundle.manifest.rating_trained else {}
    if ratings and classic_ratings:
        ratings |= ratings_of_classics(log, parts)
    among: dict[str, Mapping[str, Interval]] = {}
    if sampled:
        drawn = drawn_items(log, parts.test, sampled, seed)
        ranks = served_ranks_among(pipeline, asked, drawn)
        among = {
            order: figures(of_order, seed=seed)
            for order, of_order in zip(("retrieval", "served"), ranks, strict=True)
        }
    return Evaluation(parts, served, retrieval, losses, ratings, among)


def serve(
    pipeline: ServedPipeline, asked: Asked, candidates: int
) -> tuple[ServedLists, ServedLists]:
    """Lists in retrieval order, and as they are shown."""
    found = pipeline.retrieved(asked.people, asked.questions, candidates)
    return found, pipeline.ordered(asked.people, found, asked.recent)


def measured_lists(lists: ServedLists, asked: Asked, world: World, *, seed: int) -> Measured:
    """The figures of lists."""
    ranks = lists.ranks(asked.questions.targets)
    return measure(ranks, lists.columns[:, :K], asked.questions, world, seed=seed)


def ratings_of(pipeline: ServedPipeline, log: EventLog, parts: Split) -> dict[str, Rated]:
    """Of all that is held out, told from the training part alone; nothing where none is rated."""
    asked = {name: rated_events(log, parts, part) for name, part in parts.held_out.items()}
    if not all(len(part.users) for part in asked.values()):
        return {}
    means = Means(log, parts)
    told: dict[str, Callable[[Part], Numbers]] = {
        "served": lambda part: _served_ratings(pipeline, log, parts, part),
        "means": means.ratings,
        "means of items": means.of_items,
    }
    given = {name: given_ratings(log, part) for name, part in asked.items()}
    return {
        who: rated({name: ratings(part) for name, part in asked.items()}, given)
        for who, ratings in told.items()
    }


def ratings_of_classics(log: EventLog, parts: Split) -> dict[str, Rated]:
    """The same of models that take minutes or hours to fit."""
    # Imported here: the library is for training, what is served is evaluated without it.
    from headrace.evaluation.rating_models import classic_ratings  # noqa: PLC0415

    given = {
        name: given_ratings(log, rated_events(log, parts, part))
        for name, part in parts.held_out.items()
    }
    return {name: rated(told, given) for name, told in classic_ratings(log, parts)}


def _served_ratings(pipeline: ServedPipeline, log: EventLog, parts: Split, part: Part) -> Numbers:
    """As the head rates them for people who did nothing since training: [Q]."""
    users, row = np.unique(part.users, return_inverse=True)
    then = Part(users, parts.train_ends[users])
    people, recent = pipeline.people(log, then), recent_items(log, then)
    return pipeline.ratings(people[row], recent[row], log.items[part.positions])


def _by_name(parts: Split) -> Mapping[str, Part]:
    return {"validation": parts.validation, "test": parts.test}


def asked_of(pipeline: ServedPipeline, log: EventLog, part: Part) -> Asked:
    """A part as the pipeline takes it."""
    return Asked(pipeline.people(log, part), recent_items(log, part), part.questions(log))
