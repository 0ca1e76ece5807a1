"""The modules that are exported, each with the inputs and outputs of its ONNX graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from headrace.bundle.manifest import Shape
from headrace.models.item_cnn import ItemInputs, ItemTower
from headrace.models.ncf import NcfHead
from headrace.models.user_rnn import UserTower


@dataclass(frozen=True)
class GraphSpec:
    """A module, example inputs, and the shapes that the manifest names.

    A letter in a shape is an axis that varies. Examples use sizes above 1, which the exporter
    would take for constants.
    """

    module: nn.Module
    examples: tuple[Tensor, ...]
    inputs: Mapping[str, Shape]
    outputs: Mapping[str, Shape]


class UserStep(nn.Module):
    """One event of each person."""

    def __init__(self, tower: UserTower) -> None:
        super().__init__()
        self.tower = tower

    def forward(
        self, state: Tensor, item: Tensor, event_type: Tensor, gap_s: Tensor
    ) -> tuple[Tensor, Tensor]:
        return self.tower.step(state, item, event_type, gap_s)


class UserSequence(nn.Module):
    """Many events of each person; the vector is the one after the last valid event."""

    def __init__(self, tower: UserTower) -> None:
        super().__init__()
        self.tower = tower

    def forward(
        self, state: Tensor, items: Tensor, event_type: Tensor, gap_s: Tensor, length: Tensor
    ) -> tuple[Tensor, Tensor]:
        state, vectors = self.tower.sequence(
            state, items, event_type, gap_s, length, for_onnx=torch.compiler.is_exporting()
        )
        last = torch.clamp(length - 1, min=0).reshape(-1, 1, 1).expand(-1, 1, vectors.shape[2])
        vector = torch.gather(vectors, 1, last).squeeze(1)  # [B,D]
        return state, vector * (length > 0).reshape(-1, 1)


class ItemEncoderGraph(nn.Module):
    """Vectors and biases of items; `embedding` is an input where items have one."""

    def __init__(self, tower: ItemTower) -> None:
        super().__init__()
        self.tower = tower

    def forward(
        self,
        id_row: Tensor,
        tokens: Tensor,
        categories: Tensor,
        numeric: Tensor,
        embedding: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        none = numeric.new_zeros(numeric.shape[0], 0)
        inputs = ItemInputs(
            id_row, tokens, categories, numeric, none if embedding is None else embedding
        )
        vector, bias = self.tower(inputs)
        return vector, bias


def user_graphs(tower: UserTower) -> dict[str, GraphSpec]:
    """The graphs of the part `user`."""
    width, state = tower.width, tower.state_width
    result: dict[str, Shape] = {"new_state": ("B", state), "vector": ("B", width)}
    return {
        "user_step.onnx": GraphSpec(
            UserStep(tower),
            (torch.randn(3, state), torch.randn(3, width), _zeros(3), 600 * torch.rand(3)),
            {"state": ("B", state), "item": ("B", width), "event_type": ("B",), "gap_s": ("B",)},
            result,
        ),
        "user_sequence.onnx": GraphSpec(
            UserSequence(tower),
            (
                torch.randn(3, state),
                torch.randn(3, 7, width),
                _zeros(3, 7),
                600 * torch.rand(3, 7),
                torch.tensor([7, 3, 0]),
            ),
            {
                "state": ("B", state),
                "items": ("B", "L", width),
                "event_type": ("B", "L"),
                "gap_s": ("B", "L"),
                "length": ("B",),
            },
            result,
        ),
    }


def item_graphs(tower: ItemTower, inputs: ItemInputs) -> dict[str, GraphSpec]:
    """The graph of the part `item`; `inputs` are those of any two or more items."""
    examples: dict[str, tuple[Tensor, Shape]] = {
        "id_row": (inputs.id_row, ("N",)),
        "tokens": (inputs.tokens, ("N", "T")),
        "categories": (inputs.categories, ("N", inputs.categories.shape[1])),
        "numeric": (inputs.numeric, ("N", inputs.numeric.shape[1])),
    }
    if inputs.embedding.shape[1]:
        examples["embedding"] = (inputs.embedding, ("N", inputs.embedding.shape[1]))
    return {
        "item_encoder.onnx": GraphSpec(
            ItemEncoderGraph(tower),
            tuple(example for example, _ in examples.values()),
            {name: shape for name, (_, shape) in examples.items()},
            {"vector": ("N", tower.ids.embedding_dim), "bias": ("N",)},
        )
    }


def head_graphs(head: NcfHead, width: int, features: int) -> dict[str, GraphSpec]:
    """The graph of the part `ranker`."""
    mask = torch.ones(2, 4)
    mask[1, 2:] = 0
    return {
        "ncf.onnx": GraphSpec(
            head,
            (
                torch.randn(2, width),
                torch.randn(2, 5, width),
                torch.randn(2, 4, width),
                mask,
                torch.randn(2, 5, features),
            ),
            {
                "user": ("B", width),
                "candidates": ("B", "K", width),
                "recent": ("B", "R", width),
                "recent_mask": ("B", "R"),
                "features": ("B", "K", features),
            },
            {"preference": ("B", "K"), "rating": ("B", "K")},
        )
    }


def _zeros(*shape: int) -> Tensor:
    return torch.zeros(shape, dtype=torch.long)
