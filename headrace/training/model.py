"""A model in the making: its data, vocabulary, towers and head, built from settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headrace.bundle.features import FEATURES
from headrace.bundle.known import KnownItems
from headrace.bundle.table import ItemTable
from headrace.bundle.vocabulary import Vocabulary
from headrace.models.item_cnn import ItemInputs, ItemTower
from headrace.models.ncf import NcfHead
from headrace.models.rating import RatingOutput, Taste
from headrace.models.user_rnn import UserTower
from headrace.training.content import build_vocabulary, content_sizes, item_inputs
from headrace.training.latent import start_content
from headrace.training.lists import CatalogueFacts
from headrace.training.log import EventLog
from headrace.training.neighbours import count_neighbours
from headrace.training.ratings import item_offsets
from headrace.training.settings import TrainingSettings
from headrace.training.split import Part, Split, marked_before
from headrace.training.start import Start
from headrace.training.tastes import people_tastes
from headrace.training.towers import (
    KindIndex,
    LogTensors,
    Towers,
    TowerScorer,
    catalogue_vectors,
    user_vectors,
)


@dataclass(frozen=True)
class Model:
    """Everything that is trained, and the inputs it is trained on."""

    settings: TrainingSettings
    log: EventLog
    split: Split
    counts: NDArray[np.int64]  # [N] training events of each item of the catalogue
    table: ItemTable
    vocabulary: Vocabulary
    inputs: ItemInputs
    kinds: KindIndex
    events: LogTensors
    towers: Towers
    taste: Taste | None  # None: training has no ratings
    head: NcfHead

    def scorer(self, part: Part, towers: Towers) -> TowerScorer:
        """Retrieval over the whole catalogue for the people of a part, just before its events."""
        towers.eval()
        vectors, biases = catalogue_vectors(towers.item, self.inputs)
        users = user_vectors(towers.user, self.events, vectors, part.users, part.positions)
        return TowerScorer(users, vectors, biases)

    def people(
        self, vectors: Tensor, users: NDArray[np.int64], positions: NDArray[np.int64]
    ) -> Tensor:
        """People's vectors just before the event at a position, as they are served.

        Shapes: vectors [N,D], users and positions [Q] -> [Q,D+T].
        """
        found = user_vectors(self.towers.user, self.events, vectors, users, positions)
        if self.taste is None:
            return found
        tastes = people_tastes(self.taste, self.log, vectors, users, positions)
        return torch.cat([found, tastes], dim=1)

    def facts(self) -> CatalogueFacts:
        """The catalogue as the towers have it now."""
        vectors, biases = catalogue_vectors(self.towers.item, self.inputs)
        return CatalogueFacts(
            vectors,
            biases,
            np.log1p(self.counts).astype(np.float32),
            self.inputs.categories.numpy(),
            self.inputs.numeric.numpy(),
            self.inputs.id_row.numpy(),
            self.known,
        )

    def as_new(self, items: NDArray[np.bool_]) -> Model:
        """The same towers where some items have no history: placed by content, counted nowhere.

        Shapes: items [N].
        """
        hidden = torch.from_numpy(items)
        inputs = replace(self.inputs, id_row=self.inputs.id_row.masked_fill(hidden, 0))
        return replace(self, inputs=inputs, counts=np.where(items, 0, self.counts))

    @cached_property
    def known(self) -> KnownItems:
        """What is counted in the events that the towers learn from: the head, like them, must be
        fitted on events that are new to it."""
        learned = marked_before(
            self.log, self.split.ends_before(self.log, self.settings.head_events)
        )
        rows = self.inputs.id_row.numpy()
        neighbours = count_neighbours(self.log, rows, learned, len(self.table.ids))
        return KnownItems(self.table, neighbours)


def build_model(
    log: EventLog, split: Split, settings: TrainingSettings, start: Start | None = None
) -> Model:
    """An untrained model; ids, words and counts come from the training part alone.

    `start`: a bundle whose weights will be put in, so that numbers are scaled as it scales them.

    An item without a training event has no row of its own: it is placed by its content, in
    validation and test as it will be in service.
    """
    torch.manual_seed(settings.seed)
    learned = split.training_events(log)
    counts = log.counts(learned)
    known = np.flatnonzero(counts)
    table = ItemTable(
        np.array([log.catalogue[column].item_id for column in known], dtype=np.str_),
        counts[known],
        item_offsets(log, learned)[known],
    )
    vocabulary = build_vocabulary([log.catalogue[column] for column in known])
    if start is not None:
        vocabulary = start.scaled(vocabulary)
    kinds = KindIndex(log.kinds)
    # Where no item with events has a picture there is nothing to learn from those of others.
    shown = any(log.catalogue[column].picture is not None for column in known)
    inputs = item_inputs(log.catalogue, vocabulary, table, log.pictures if shown else None)
    item = ItemTower(settings.width, len(known), content_sizes(vocabulary, inputs))
    item.start_from_events(torch.from_numpy(counts[known]))
    start_content(item.cnn, inputs.take(torch.from_numpy(known)))
    user = UserTower(settings.width, kinds.count, settings.tower, settings.blocks, settings.dropout)
    towers = Towers(item, user)
    rated = bool((~np.isnan(log.ratings[learned])).any())
    return Model(
        settings=settings,
        log=log,
        split=split,
        counts=counts,
        table=table,
        vocabulary=vocabulary,
        inputs=inputs,
        kinds=kinds,
        events=LogTensors(log, kinds),
        towers=towers,
        taste=Taste(settings.width) if rated else None,
        head=NcfHead(
            settings.width, len(FEATURES), RatingOutput(settings.width) if rated else None
        ),
    )
