"""From a trained model to a bundle in its place."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from headrace.bundle import Bundle, Manifest
from headrace.bundle.features import FEATURES
from headrace.bundle.manifest import Ranking
from headrace.bundle.placing import put_back
from headrace.bundle.writer import BundleContent, refuse_foreign, write_bundle
from headrace.errors import BundleInvalid, Unavailable
from headrace.models.recurrence import MAX_DOUBLING_LENGTH
from headrace.training.export import TOLERANCE, export_graphs
from headrace.training.graphs import head_graphs, item_graphs, user_graphs
from headrace.training.model import Model
from headrace.training.towers import catalogue_vectors
from headrace.training.weights import arrays_of, tensors_of

Fact = str | int | float | bool | None

# People whose whole history is compared between torch and the bundle.
_CHECKED_USERS = 8


def check_place(folder: Path) -> None:
    """Find out before hours of work that a bundle cannot be put at `folder`.

    Raises:
        BundleInvalid: it holds something that is no bundle.
        Unavailable: nothing can be written beside it.
    """
    put_back(folder)
    refuse_foreign(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent):
            pass
    except OSError as error:
        raise _cannot_write(folder, error) from error


def publish(
    model: Model,
    folder: Path,
    *,
    ranking: Ranking,
    metrics: Mapping[str, float],
    data_sha256: str,
    training: Mapping[str, Fact],
) -> Manifest:
    """Export, compare with torch, and only then put the bundle at `folder`.

    Raises:
        BundleInvalid: a graph or the bundle as a whole disagrees with torch, or `folder` holds
            something that is no bundle.
        Unavailable: the disk is full; what was at `folder` before still is.
    """
    sample = model.inputs.take(torch.arange(len(model.log.catalogue))[:5])
    graphs = export_graphs(
        {
            **user_graphs(model.towers.user, model.taste),
            **item_graphs(model.towers.item, sample),
            **head_graphs(model.head, model.settings.width, len(FEATURES), model.taste),
        }
    )
    content = BundleContent(
        graphs=graphs,
        weights=arrays_of(tensors_of(model.towers, model.taste, model.head)),
        table=model.table,
        neighbours=model.known.neighbours,
        vocabulary=model.vocabulary,
        width=model.settings.width,
        user_width=model.settings.width + (model.taste.width if model.taste else 0),
        state_width=model.towers.user.state_width + (model.taste.state_width if model.taste else 0),
        tower=model.settings.tower,
        max_sequence=MAX_DOUBLING_LENGTH,
        event_types=model.kinds.event_types,
        ranking=ranking,
        rating_trained=model.taste is not None,
        data_sha256=data_sha256,
        split_sha256=model.split.digest,
        metrics=metrics,
        training={**dataclasses.asdict(model.settings), **training},
    )
    try:
        return write_bundle(folder, content, lambda bundle: check_against_torch(bundle, model))
    except OSError as error:
        raise _cannot_write(folder, error) from error


def check_against_torch(bundle: Bundle, model: Model) -> None:
    """The bundle, used as a service uses it, gives the vectors that torch gives.

    Raises:
        BundleInvalid: an item's or a person's vector differs by more than 1e-4.
    """
    log = model.log
    vectors, biases = catalogue_vectors(model.towers.item, model.inputs)
    served, served_biases = bundle.items.encode(log.catalogue)
    _same("item vectors", vectors.numpy(), served)
    _same("item biases", biases.numpy(), served_biases)
    users = np.arange(min(_CHECKED_USERS, log.users))
    expected = model.people(vectors, users, log.offsets[users + 1])
    for user in users:
        events = slice(log.offsets[user], log.offsets[user + 1])
        _, vector = bundle.user.sequence(
            bundle.user.initial_state(1),
            served[log.items[events]][None],
            log.kinds[events][None],
            log.gap_s[events][None],
            [events.stop - events.start],
            ratings=log.ratings[events][None],
        )
        _same(f"the vector of user {log.user_ids[user]}", expected[user].numpy(), vector[0])


def _cannot_write(folder: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"{folder}: cannot be written: {error.strerror or error}; nothing was left behind: "
        "make room and run the same command again (with --checkpoint the towers are kept)"
    )


def _same(what: str, expected: np.ndarray, served: np.ndarray) -> None:
    worst = float(np.abs(expected - served).max(initial=0.0))
    if not worst <= TOLERANCE:
        raise BundleInvalid(f"{what} differ between torch and the bundle by {worst:.2g}")
