"""The item tower: an id embedding and a CNN over the content that places items without one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

TOKEN_WIDTH = 32
CHANNELS = 64


@dataclass(frozen=True)
class ItemInputs:
    """Content as arrays. Letters: N items, T tokens, C categories, M numeric attributes, E
    numbers of a precomputed embedding.

    Shapes: id_row [N] (0: no id), tokens [N,T] (0: padding), categories [N,C] multi-hot,
    numeric [N,M] normalised, embedding [N,E+1] normalised, its last column 1 where an item has
    none; [N,0] where no item has.
    """

    id_row: Tensor
    tokens: Tensor
    categories: Tensor
    numeric: Tensor
    embedding: Tensor

    def take(self, rows: Tensor) -> ItemInputs:
        return ItemInputs(
            self.id_row[rows],
            self.tokens[rows],
            self.categories[rows],
            self.numeric[rows],
            self.embedding[rows],
        )


@dataclass(frozen=True)
class ContentSizes:
    """How wide content is: rows of the token table, C, M, and E + 1, or 0 without embeddings."""

    tokens: int
    categories: int
    numeric: int
    embedding: int = 0


class ContentCnn(nn.Module):
    """Convolutions over text, joined with categories, numbers and a precomputed embedding.

    Shapes: as `ItemInputs` -> [N,D].
    """

    def __init__(self, width: int, sizes: ContentSizes) -> None:
        super().__init__()
        self.token = nn.Embedding(sizes.tokens, TOKEN_WIDTH, padding_idx=0)
        self.convolutions = nn.ModuleList(
            [nn.Conv1d(TOKEN_WIDTH, CHANNELS, kernel, padding=kernel // 2) for kernel in (1, 3)]
        )
        self.category = nn.Linear(sizes.categories, width, bias=False)
        self.text = nn.Linear(2 * CHANNELS, width)
        self.numeric = nn.Linear(sizes.numeric, width, bias=False)
        # Linear: what lies near in the other model's space stays near in this one.
        self.embedding = nn.Linear(sizes.embedding, width, bias=False) if sizes.embedding else None
        self.mix = nn.Sequential(nn.GELU(), nn.Linear(width, width))
        # Content starts as small as ids do, or a dropped id would shout.
        for layer in (self.category, self.text, self.numeric, self.embedding):
            if layer is not None:
                nn.init.normal_(layer.weight, std=0.02)

    def forward(
        self, tokens: Tensor, categories: Tensor, numeric: Tensor, embedding: Tensor
    ) -> Tensor:
        words = self.token(tokens).transpose(1, 2)  # [N,32,T]
        real = (tokens > 0).unsqueeze(1)  # [N,1,T]
        pooled = [
            # ReLU's smallest value is 0, so masking by 0 before the maximum hides padding.
            (torch.relu(convolution(words)) * real).amax(dim=2)
            for convolution in self.convolutions
        ]  # each [N,64]
        joined = self.text(torch.cat(pooled, dim=1)) + self.category(_shared(categories))
        joined = joined + self.numeric(numeric)  # [N,D]
        if self.embedding is not None:
            joined = joined + self.embedding(embedding)
        out: Tensor = joined + self.mix(joined)
        return out


class ItemTower(nn.Module):
    """vector = id embedding + gate * CNN(content), or the content alone where there is no id.

    Row 0 of the id table is for items without a trained id: its vector is zero, its bias is
    learned from items whose id was dropped. The gate starts at 0, so that content joins an id
    only where it helps; the CNN learns from dropped ids meanwhile, at full strength, because a
    gate of 0 would pass it no gradient.
    """

    def __init__(self, width: int, items: int, sizes: ContentSizes) -> None:
        super().__init__()
        self.ids = nn.Embedding(items + 1, width, padding_idx=0)
        nn.init.normal_(self.ids.weight, std=0.02)
        with torch.no_grad():
            self.ids.weight[0].zero_()
        self.biases = nn.Embedding(items + 1, 1)
        nn.init.zeros_(self.biases.weight)
        self.cnn = ContentCnn(width, sizes)
        self.content_bias = nn.Linear(width, 1, bias=False)
        nn.init.zeros_(self.content_bias.weight)
        self.gate = nn.Parameter(torch.zeros(()))

    @torch.no_grad()
    def start_from_popularity(self, counts: Tensor) -> None:
        """Biases start as log shares: softmax over them is the popularity of the training part.

        Adam would need more steps for this than for all the rest. An item without a row starts
        as if it had been touched half a time. Shapes: counts [N], one for each id row from 1.
        """
        logs = torch.log(torch.cat([torch.tensor([0.5]), counts.float()]))
        self.biases.weight.copy_((logs - logs.mean()).unsqueeze(1))

    def content(self, inputs: ItemInputs) -> Tensor:
        """What the CNN makes of the content: [N,D]."""
        out: Tensor = self.cnn(inputs.tokens, inputs.categories, inputs.numeric, inputs.embedding)
        return out

    def join(self, id_row: Tensor, content: Tensor) -> tuple[Tensor, Tensor]:
        """Shapes: id_row [N], content [N,D] -> vector [N,D], bias [N]."""
        share = torch.where(id_row > 0, self.gate, 1.0).unsqueeze(1)
        vector = self.ids(id_row) + share * content
        bias = self.biases(id_row) + self.content_bias(content)
        return vector, bias.squeeze(-1)

    def forward(self, inputs: ItemInputs) -> tuple[Tensor, Tensor]:
        return self.join(inputs.id_row, self.content(inputs))


def _shared(categories: Tensor) -> Tensor:
    # An item in five categories is not five times as far out as one in a single category.
    return categories / torch.sqrt(torch.clamp(categories.sum(dim=1, keepdim=True), min=1.0))
