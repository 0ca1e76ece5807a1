"""The modules that are exported, each with the inputs and outputs of its ONNX graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from headrace.bundle.manifest import Shape
from headrace.models.item_cnn import ItemInputs, ItemTower
from headrace.models.ncf import NcfHead
from headrace.models.rating import Taste
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
    """One event of each person; with a taste, state and vector end with its own."""

    def __init__(self, tower: UserTower, taste: Taste | None) -> None:
        super().__init__()
        self.tower = tower
        self.taste = taste

    def forward(  # the exporter gives inputs by position
        self,
        state: Tensor,
        item: Tensor,
        event_type: Tensor,
        gap_s: Tensor,
        rating: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        recurrent, sums = state[:, : self.tower.state_width], state[:, self.tower.state_width :]
        recurrent, vector = self.tower.step(recurrent, item, event_type, gap_s)
        if self.taste is None or rating is None:
            return recurrent, vector
        sums = sums + self.taste.addends(item, rating)
        return torch.cat([recurrent, sums], dim=1), torch.cat([vector, self.taste(sums)], dim=1)


class UserSequence(nn.Module):
    """Many events of each person; the vector is the one after the last valid event."""

    def __init__(self, tower: UserTower, taste: Taste | None) -> None:
        super().__init__()
        self.tower = tower
        self.taste = taste

    def forward(  # noqa: PLR0917  # the exporter gives inputs by position
        self,
        state: Tensor,
        items: Tensor,
        event_type: Tensor,
        gap_s: Tensor,
        length: Tensor,
        rating: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        recurrent, sums = state[:, : self.tower.state_width], state[:, self.tower.state_width :]
        recurrent, vectors = self.tower.sequence(
            recurrent, items, event_type, gap_s, length, for_onnx=torch.compiler.is_exporting()
        )
        last = torch.clamp(length - 1, min=0).reshape(-1, 1, 1).expand(-1, 1, vectors.shape[2])
        vector = torch.gather(vectors, 1, last).squeeze(1)  # [B,D]
        if self.taste is not None and rating is not None:
            valid = torch.arange(items.shape[1]) < length.unsqueeze(1)  # [B,L]
            sums = sums + (self.taste.addends(items, rating) * valid.unsqueeze(2)).sum(dim=1)
            recurrent = torch.cat([recurrent, sums], dim=1)
            vector = torch.cat([vector, self.taste(sums)], dim=1)
        return recurrent, vector * (length > 0).reshape(-1, 1)


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


class PictureEncoderGraph(nn.Module):
    """The same for a tower that looks at pictures."""

    def __init__(self, tower: ItemTower) -> None:
        super().__init__()
        self.tower = tower

    def forward(  # noqa: PLR0917  # the exporter gives inputs by position
        self,
        id_row: Tensor,
        tokens: Tensor,
        categories: Tensor,
        numeric: Tensor,
        picture: Tensor,
        has_picture: Tensor,
        embedding: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        none = numeric.new_zeros(numeric.shape[0], 0)
        given = none if embedding is None else embedding
        inputs = ItemInputs(id_row, tokens, categories, numeric, given, picture, has_picture)
        vector, bias = self.tower(inputs)
        return vector, bias


def user_graphs(tower: UserTower, taste: Taste | None = None) -> dict[str, GraphSpec]:
    """The graphs of the part `user`; with a taste both take ratings as well, 0: none."""
    width = tower.width
    state = tower.state_width + (taste.state_width if taste else 0)
    person = width + (taste.width if taste else 0)
    result: dict[str, Shape] = {"new_state": ("B", state), "vector": ("B", person)}
    one, many = torch.tensor([0.0, 3.0, 5.0]), torch.randint(0, 6, (3, 7)).float()
    # Sums are compared as they will be: of vectors as long as the items'.
    length = float(taste.scale) if taste else 1.0
    return {
        "user_step.onnx": GraphSpec(
            UserStep(tower, taste),
            (
                torch.rand(3, state),
                length * torch.randn(3, width),
                _zeros(3),
                600 * torch.rand(3),
                *([one] if taste else []),
            ),
            {
                "state": ("B", state),
                "item": ("B", width),
                "event_type": ("B",),
                "gap_s": ("B",),
                **({"rating": ("B",)} if taste else {}),
            },
            result,
        ),
        "user_sequence.onnx": GraphSpec(
            UserSequence(tower, taste),
            (
                torch.rand(3, state),
                length * torch.randn(3, 7, width),
                _zeros(3, 7),
                600 * torch.rand(3, 7),
                torch.tensor([7, 3, 0]),
                *([many] if taste else []),
            ),
            {
                "state": ("B", state),
                "items": ("B", "L", width),
                "event_type": ("B", "L"),
                "gap_s": ("B", "L"),
                "length": ("B",),
                **({"rating": ("B", "L")} if taste else {}),
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
    graph: nn.Module = ItemEncoderGraph(tower)
    if inputs.picture is not None and inputs.has_picture is not None:
        graph = PictureEncoderGraph(tower)
        examples["picture"] = (inputs.picture, ("N", *inputs.picture.shape[1:]))
        examples["has_picture"] = (inputs.has_picture, ("N",))
    if inputs.embedding.shape[1]:
        examples["embedding"] = (inputs.embedding, ("N", inputs.embedding.shape[1]))
    return {
        "item_encoder.onnx": GraphSpec(
            graph,
            tuple(example for example, _ in examples.values()),
            {name: shape for name, (_, shape) in examples.items()},
            {"vector": ("N", tower.ids.embedding_dim), "bias": ("N",)},
        )
    }


def head_graphs(
    head: NcfHead, width: int, features: int, taste: Taste | None = None
) -> dict[str, GraphSpec]:
    """The graph of the part `ranker`."""
    mask = torch.ones(2, 4)
    mask[1, 2:] = 0
    person = width + (taste.width if taste else 0)
    return {
        "ncf.onnx": GraphSpec(
            head,
            (
                torch.randn(2, person),
                torch.randn(2, 5, width),
                torch.randn(2, 4, width),
                mask,
                torch.randn(2, 5, features),
            ),
            {
                "user": ("B", person),
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
