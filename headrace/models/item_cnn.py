"""The item tower: an id embedding, and content that places items with few events or none."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from headrace.models.picture_cnn import PictureCnn

TOKEN_WIDTH = 32
CHANNELS = 64
# Of an item's words so many are hidden at a time while training, or it would lean on rare ones.
WORD_DROPOUT = 0.3
# An item with so many events is known by them as well as by its content.
EVENTS_WORTH_CONTENT = 10.0


@dataclass(frozen=True)
class ItemInputs:
    """Content as arrays. Letters: N items, T tokens, C categories, M numeric attributes, E
    numbers of a precomputed embedding, S pixels of a picture's side.

    Shapes: id_row [N] (0: no id), tokens [N,T] (0: padding), categories [N,C] multi-hot,
    numeric [N,M] normalised, embedding [N,E+1] normalised, its last column 1 where an item has
    none; [N,0] where no item has; picture [N,S,S,3] of 0 to 255 and has_picture [N] (1: it has
    one); None where no item has.
    """

    id_row: Tensor
    tokens: Tensor
    categories: Tensor
    numeric: Tensor
    embedding: Tensor
    picture: Tensor | None = None
    has_picture: Tensor | None = None

    def take(self, rows: Tensor) -> ItemInputs:
        return ItemInputs(
            self.id_row[rows],
            self.tokens[rows],
            self.categories[rows],
            self.numeric[rows],
            self.embedding[rows],
            None if self.picture is None else self.picture[rows],
            None if self.has_picture is None else self.has_picture[rows],
        )


@dataclass(frozen=True)
class ContentSizes:
    """How wide content is: rows of the token table, C, M, and E + 1, or 0 without embeddings;
    and whether there are pictures."""

    tokens: int
    categories: int
    numeric: int
    embedding: int = 0
    pictures: bool = False


class ContentCnn(nn.Module):
    """Words, categories, numbers and a precomputed embedding, each linear, and convolutions over
    the text for what words mean together, and over the picture where a catalogue has pictures.

    Shapes: as `ItemInputs` -> [N,D].
    """

    def __init__(self, width: int, sizes: ContentSizes) -> None:
        super().__init__()
        self.word = nn.Embedding(sizes.tokens, width, padding_idx=0)
        # How much a word tells of an item: `start_words` sets it; 0: padding, unknown.
        self.word_weight: Tensor
        self.register_buffer("word_weight", torch.zeros(sizes.tokens))
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
        for layer in (self.word, self.category, self.text, self.numeric, self.embedding):
            if layer is not None:
                nn.init.normal_(layer.weight, std=0.02)
        # Last: the rest starts as it would without.
        self.picture = PictureCnn(width) if sizes.pictures else None

    def forward(self, inputs: ItemInputs) -> Tensor:
        seen = None
        if self.picture is not None and inputs.picture is not None:
            seen = self.picture.seen(inputs.picture)
        return self.join(inputs, self.convolved(inputs.tokens), seen)

    def convolved(self, tokens: Tensor) -> Tensor:
        """Convolutions over the text, dear as well. Shapes: tokens [N,T] -> [N,D]."""
        words = self.token(tokens).transpose(1, 2)  # [N,32,T]
        real = (tokens > 0).unsqueeze(1)  # [N,1,T]
        pooled = [
            # ReLU's smallest value is 0, so masking by 0 hides padding; after the maximum, which
            # is the same, it has T times less to do. Not amax: its gradient looks for ties.
            torch.relu((convolution(words) * real).max(dim=2).values)
            for convolution in self.convolutions
        ]  # each [N,64]
        out: Tensor = self.text(torch.cat(pooled, dim=1))
        return out

    def join(self, inputs: ItemInputs, convolved: Tensor, seen: Tensor | None = None) -> Tensor:
        """Shapes: convolved [N,D], seen [N,F] (None: there are no pictures) -> [N,D]."""
        joined = convolved + self._words(inputs.tokens) + self.category(shared(inputs.categories))
        joined = joined + self.numeric(inputs.numeric)
        if self.embedding is not None:
            joined = joined + self.embedding(inputs.embedding)
        if self.picture is not None and seen is not None and inputs.has_picture is not None:
            joined = joined + self.picture(seen, inputs.has_picture)
        out: Tensor = joined + self.mix(joined)
        return out

    def _words(self, tokens: Tensor) -> Tensor:
        """The weighted sum of an item's words: [N,D]."""
        weights = unit_weights(self.word_weight[tokens])
        weights = nn.functional.dropout(weights, WORD_DROPOUT, self.training)
        out: Tensor
        if torch.compiler.is_exporting():
            out = (weights.unsqueeze(2) * self.word(tokens)).sum(dim=1)
        else:  # the same sum, without a copy of every word's vector
            out = nn.functional.embedding_bag(
                tokens, self.word.weight, per_sample_weights=weights, mode="sum", padding_idx=0
            )
        return out


class ItemTower(nn.Module):
    """vector = id embedding + e / (e + events) * content, the content alone where there is no id.

    The fewer events an item has, the more its content tells beside them: the share is that of an
    empirical Bayes estimate, and e, the events that content is worth, is learned. Row 0 of the id
    table is for items without a trained id: its vector is zero, its bias is learned from items
    whose id was dropped.
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
        self.worth_log = nn.Parameter(torch.tensor(math.log(EVENTS_WORTH_CONTENT)))
        self.events: Tensor
        self.register_buffer("events", torch.zeros(items + 1))

    @torch.no_grad()
    def start_from_events(self, counts: Tensor) -> None:
        """Biases start as log shares: softmax over them is the popularity of the training part.

        Adam would need more steps for this than for much of the rest. Items without a row start
        in the middle. Shapes: counts [N] of events, at least 1, one for each id row from 1.
        """
        self.events[1:] = counts
        logs = torch.log(self.events[1:])
        self.biases.weight[1:] = (logs - logs.mean()).unsqueeze(1)

    def content(self, inputs: ItemInputs) -> Tensor:
        """What is made of the content: [N,D]."""
        out: Tensor = self.cnn(inputs)
        return out

    def content_share(self, id_row: Tensor) -> Tensor:
        """How much content counts, 1 where there is no id. Shapes: [N] -> [N]."""
        worth = torch.exp(self.worth_log)
        return worth / (worth + self.events[id_row])

    def join(self, id_row: Tensor, content: Tensor) -> tuple[Tensor, Tensor]:
        """Shapes: id_row [N], content [N,D] -> vector [N,D], bias [N]."""
        vector = self.ids(id_row) + self.content_share(id_row).unsqueeze(1) * content
        bias = self.biases(id_row) + self.content_bias(content)
        return vector, bias.squeeze(-1)

    def forward(self, inputs: ItemInputs) -> tuple[Tensor, Tensor]:
        return self.join(inputs.id_row, self.content(inputs))


def unit_weights(weights: Tensor) -> Tensor:
    """Weights of an item's words as a vector of length 1, or 0. Shapes: [N,T] -> [N,T]."""
    length = torch.linalg.vector_norm(weights, dim=1, keepdim=True)
    return weights / torch.clamp(length, min=1e-6)


def shared(categories: Tensor) -> Tensor:
    """The same for categories. Shapes: [N,C] -> [N,C]."""
    # An item in five categories is not five times as far out as one in a single category.
    return categories / torch.sqrt(torch.clamp(categories.sum(dim=1, keepdim=True), min=1.0))
