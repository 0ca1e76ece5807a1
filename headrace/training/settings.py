"""What can be chosen about training."""

from __future__ import annotations

from dataclasses import dataclass

from headrace.models.user_rnn import TowerKind


@dataclass(frozen=True)
class TrainingSettings:
    """Defaults are LRURec's (WSDM 2024) where it has them."""

    tower: TowerKind = "lru"
    seed: int = 0
    width: int = 64  # D
    blocks: int = 2
    dropout: float = 0.1  # 0.2 is better in hours, worse in minutes
    batch_users: int = 32
    chunk: int = 64  # events between two cuts of the gradient; the state is carried over
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    # A share of the batches gives up the id of a share of the items: content must place them.
    id_dropout_batches: float = 0.25
    id_dropout_items: float = 0.1
    content_refresh: float = 0.125  # share of the CNN's vectors computed anew in each step
    full_softmax_up_to: int = 20_000  # items; beyond, negatives are sampled
    negatives: int = 1024
    # Of each history's end, events that the towers do not learn from and the head does.
    head_events: int = 2
    head_candidates: int = 200  # K
    head_lists: int = 8_000
    recent: int = 50  # R
    max_epochs: int = 1_000_000
