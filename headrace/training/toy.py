"""A small bundle without training, for trying services out and for tests.

Nothing in it is learned, and yet it makes sense: items of one category have near vectors, and a
person's vector leans to the items touched lately.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from headrace.bundle.content import ItemContent
from headrace.bundle.features import FEATURES
from headrace.bundle.known import Neighbours
from headrace.bundle.manifest import Manifest
from headrace.bundle.table import ItemTable
from headrace.bundle.writer import BundleContent, write_bundle
from headrace.models.blocks import LinearRecurrentBlock
from headrace.models.item_cnn import ItemTower
from headrace.models.ncf import NcfHead
from headrace.models.recurrence import MAX_DOUBLING_LENGTH
from headrace.models.user_rnn import UserTower
from headrace.pictures.pixels import stacked
from headrace.training.content import build_vocabulary, content_sizes, item_inputs
from headrace.training.export import export_graphs
from headrace.training.graphs import head_graphs, item_graphs, user_graphs
from headrace.training.towers import Towers
from headrace.training.weights import arrays_of, tensors_of

# How much of the past is left after one more event.
_MEMORY = 0.8
_CATEGORIES = ("comedy", "drama", "horror", "science fiction")


def toy_items(count: int = 60) -> list[ItemContent]:
    """Items `item-0`, `item-1`, …, in four categories by turns."""
    return [
        ItemContent(
            item_id=f"item-{i}",
            title=f"Toy {_CATEGORIES[i % len(_CATEGORIES)]} number {i}",
            categories=(_CATEGORIES[i % len(_CATEGORIES)],),
            attributes={"year": 1980.0 + i % 40},
        )
        for i in range(count)
    ]


def make_toy_bundle(
    folder: Path | str,
    items: Sequence[ItemContent] | None = None,
    width: int = 16,
    seed: int = 0,
    neighbours: Neighbours | None = None,
) -> Manifest:
    """Write a valid bundle to `folder`; the same arguments give the same weights.

    Every item counts as known to training, earlier ones as more popular. neighbours: None: no item
    goes with another.
    """
    items = toy_items() if items is None else items
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        vocabulary = build_vocabulary(items)
        table = ItemTable(
            np.array([item.item_id for item in items], dtype=np.str_),
            np.arange(len(items), 0, -1, dtype=np.int64),
            np.zeros(len(items), dtype=np.float32),
        )
        shown = any(item.picture is not None for item in items)
        pictures = stacked([item.picture for item in items])[0] if shown else None
        inputs = item_inputs(items, vocabulary, table, pictures)
        item_tower = ItemTower(width, len(items), content_sizes(vocabulary, inputs))
        user_tower = UserTower(width, kinds=1)
        _group_by_category(item_tower)
        for block in user_tower.blocks:
            assert isinstance(block, LinearRecurrentBlock)
            _average_recent(block)
        head = NcfHead(width, len(FEATURES))  # last: it draws nothing from the towers
        specs = {
            **user_graphs(user_tower),
            **item_graphs(item_tower, inputs),
            **head_graphs(head, width, len(FEATURES)),
        }
        graphs = export_graphs(specs)
    return write_bundle(
        Path(folder),
        BundleContent(
            graphs=graphs,
            weights=arrays_of(tensors_of(Towers(item_tower, user_tower), None, head)),
            table=table,
            neighbours=neighbours or Neighbours.none(len(items)),
            vocabulary=vocabulary,
            width=width,
            user_width=width,
            state_width=user_tower.state_width,
            tower=user_tower.tower,
            max_sequence=MAX_DOUBLING_LENGTH,
            event_types={"0": 0},
            ranking="ncf",
            rating_trained=False,
            data_sha256="",
            split_sha256="",
            metrics={},
            training={"toy": True, "seed": seed},
        ),
    )


@torch.no_grad()
def _group_by_category(tower: ItemTower) -> None:
    """Content decides: categories point far apart, everything else moves an item a little."""
    nn.init.orthogonal_(tower.cnn.category.weight)
    tower.ids.weight.mul_(5)  # standard deviation .1 against a category's length of 1
    mix = tower.cnn.mix[1]
    assert isinstance(mix, nn.Linear)
    for part in (tower.cnn.text, mix):
        part.weight.mul_(0.1)
        part.bias.zero_()


@torch.no_grad()
def _average_recent(block: LinearRecurrentBlock) -> None:
    """The state is a decaying mean of the inputs, and the output is that mean plus the input."""
    width = block.norm.normalized_shape[0]
    block.decay_log.fill_(float(np.log(-np.log(_MEMORY))))
    block.phase_log.fill_(-30.0)  # a phase of nothing: no rotation
    block.gain_log.fill_(float(np.log(1 - _MEMORY)))
    nn.init.zeros_(block.read.weight)
    nn.init.zeros_(block.read.bias)
    nn.init.zeros_(block.write.weight)
    nn.init.zeros_(block.write.bias)
    block.read.weight[:width].fill_diagonal_(1.0)
    block.write.weight[:, :width].fill_diagonal_(4.0)
    nn.init.zeros_(block.feed_forward.contract.weight)
    nn.init.zeros_(block.feed_forward.contract.bias)
