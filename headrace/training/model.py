"""A model in the making: its data, vocabulary, towers and head, built from settings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from headrace.bundle.features import FEATURES
from headrace.bundle.table import ItemTable
from headrace.bundle.vocabulary import Vocabulary
from headrace.models.item_cnn import ItemInputs, ItemTower
from headrace.models.ncf import NcfHead
from headrace.models.user_rnn import UserTower
from headrace.training.content import build_vocabulary, content_sizes, item_inputs
from headrace.training.latent import start_content
from headrace.training.lists import CatalogueFacts
from headrace.training.log import EventLog
from headrace.training.settings import TrainingSettings
from headrace.training.split import Part, Split
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
    head: NcfHead

    def scorer(self, part: Part, towers: Towers) -> TowerScorer:
        """Retrieval over the whole catalogue for the people of a part, just before its events."""
        towers.eval()
        vectors, biases = catalogue_vectors(towers.item, self.inputs)
        users = user_vectors(towers.user, self.events, vectors, part.users, part.positions)
        return TowerScorer(users, vectors, biases)

    def facts(self) -> CatalogueFacts:
        """The catalogue as the towers have it now."""
        vectors, biases = catalogue_vectors(self.towers.item, self.inputs)
        return CatalogueFacts(
            vectors,
            biases,
            np.log1p(self.counts).astype(np.float32),
            self.inputs.categories.numpy(),
            self.inputs.numeric.numpy(),
        )


def build_model(log: EventLog, split: Split, settings: TrainingSettings) -> Model:
    """An untrained model; ids, words and counts come from the training part alone.

    An item without a training event has no row of its own: it is placed by its content, in
    validation and test as it will be in service.
    """
    torch.manual_seed(settings.seed)
    counts = log.counts(split.training_events(log))
    known = np.flatnonzero(counts)
    table = ItemTable(
        np.array([log.catalogue[column].item_id for column in known], dtype=np.str_),
        counts[known],
    )
    vocabulary = build_vocabulary([log.catalogue[column] for column in known])
    kinds = KindIndex(log.kinds)
    inputs = item_inputs(log.catalogue, vocabulary, table)
    item = ItemTower(settings.width, len(known), content_sizes(vocabulary))
    item.events[1:] = torch.from_numpy(counts[known])
    start_content(item.cnn, inputs.take(torch.from_numpy(known)))
    user = UserTower(settings.width, kinds.count, settings.tower, settings.blocks, settings.dropout)
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
        towers=Towers(item, user),
        head=NcfHead(settings.width, len(FEATURES)),
    )
