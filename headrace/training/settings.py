"""What can be chosen about training."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from headrace.models.user_rnn import TowerKind

# From so many passes over the data on, more dropout pays. Measured on both sides of it.
_LONG_PASSES = 25
# Steps of one core, ML-1M: 30,000 events a second against a sample.
_EVENTS_PER_S = 20_000
# Below so many items the whole catalogue costs no more than the rest of a step.
_SAMPLE_FROM_ITEMS = 2_500
# Items with fewer events would be drawn too seldom before the data has been learned: on the
# warm part of CiteULike-a, with 12, NDCG@10 was .0038 after two epochs against a sample.
_SAMPLE_FROM_EVENTS = 50


@dataclass(frozen=True)
class TrainingSettings:
    """Defaults are LRURec's (WSDM 2024) where it has them."""

    tower: TowerKind = "lru"
    seed: int = 0
    width: int = 64  # D
    blocks: int = 2
    dropout: float = 0.1
    batch_users: int = 32
    chunk: int = 64  # events between two cuts of the gradient; the state is carried over
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    # How often an item without events would lose its id in a step, for content to place it; one
    # that is known by its events seldom does.
    id_dropout: float = 0.5
    content_refresh: float = 0.125  # share of the convolutions computed anew in each step
    full_softmax_up_to: int = 20_000  # items; beyond, negatives are always sampled
    sampled_share: float = 0.0  # of the fitting, its first part against a sample all the same
    negatives: int = 1024
    patience: int = 10  # judgements without a better one that end the fitting
    judged_users: int = 2_048  # of validation, to judge by while fitting
    # Of each history's end, events that the towers do not learn from and the head does.
    head_events: int = 2
    head_candidates: int = 200  # K
    head_lists: int = 20_000
    recent: int = 50  # R
    max_epochs: int | None = None  # None: as many as the time allows

    def scaled(
        self, events: int, items: int, seconds: float, *, parallel: bool = False
    ) -> TrainingSettings:
        """What depends on the size of the data and on the time for it.

        Long runs bear more dropout: 0.2 is better in hours and worse in minutes. A catalogue that
        costs more than the rest of a step is sampled while the vectors are still far from their
        places: 256 uniform negatives for the first fifth. `parallel`: a device that scores a
        catalogue as fast as a sample.
        """
        passes = self.max_epochs or seconds * _EVENTS_PER_S / max(events, 1)
        long = passes >= _LONG_PASSES
        often = events >= _SAMPLE_FROM_EVENTS * items
        costly = not parallel and _SAMPLE_FROM_ITEMS < items <= self.full_softmax_up_to
        sample = often and costly
        return dataclasses.replace(
            self,
            dropout=0.2 if long else self.dropout,
            sampled_share=0.2 if sample else self.sampled_share,
            negatives=256 if sample else self.negatives,
        )
