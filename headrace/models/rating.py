"""Expected ratings: what a person's ratings and choices tell of the rating of another item."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# What is summed up for each of the R factors, and besides.
_FACTOR_SUMS, _OTHER_SUMS = 3, 3


class Taste(nn.Module):
    """What a person's history tells of their ratings, from sums over it: one step is O(1).

    Asymmetric SVD (Koren 2008, section 4) with linear maps of the item's vector in place of the
    item's own factors, and with the person's mean from the same sums:
    lean = sum(off) / (rated + damping), factors = (sum((off - lean) x) + sum(y)) / sqrt(events).
    A rating of 0 stands for none. Letters: R factors, T = 1 + R, S size of the state.
    """

    scale: Tensor

    def __init__(self, width: int, factors: int = 32) -> None:
        super().__init__()
        self.factors = factors
        self.width = 1 + factors
        self.state_width = _FACTOR_SUMS * factors + _OTHER_SUMS
        # Of the items' vectors, so that the maps need not know how long these are.
        self.register_buffer("scale", torch.ones(()))
        self.expected = nn.Linear(width, 1)
        self.rated = nn.Linear(width, factors, bias=False)
        self.chosen = nn.Linear(width, factors, bias=False)
        self.damping_log = nn.Parameter(torch.tensor(2.0))
        nn.init.zeros_(self.expected.weight)
        nn.init.normal_(self.rated.weight, std=0.01)
        nn.init.normal_(self.chosen.weight, std=0.01)

    def addends(self, items: Tensor, ratings: Tensor) -> Tensor:
        """What events add to the state. Shapes: items [..,D], ratings [..] -> [..,S]."""
        scaled = items / self.scale
        known = (ratings > 0).to(items.dtype).unsqueeze(-1)
        off = (ratings.unsqueeze(-1) - self.expected(scaled)) * known
        factors = self.rated(scaled)
        parts = [off * factors, known * factors, self.chosen(scaled)]
        return torch.cat([*parts, off, known, torch.ones_like(known)], dim=-1)

    def forward(self, state: Tensor) -> Tensor:
        """Shapes: state [..,S] -> taste [..,T]: lean and factors."""
        weighted, rated, chosen, rest = torch.split(
            state, [self.factors, self.factors, self.factors, _OTHER_SUMS], dim=-1
        )
        off, known, events = torch.split(rest, 1, dim=-1)
        lean = off / (known + torch.exp(self.damping_log))
        factors = (weighted - lean * rated + chosen) / torch.sqrt(events + 1)
        return torch.cat([lean, factors], dim=-1)


class RatingOutput(nn.Module):
    """rating = item + lean + factors · map(item), from 1 to 5.

    `facts` are numbers about each item: its mean rating less that of all, and its popularity.
    """

    scale: Tensor

    def __init__(self, width: int, factors: int = 32, facts: int = 2) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones(()))
        self.item = nn.Linear(width + facts, 1)
        self.factors = nn.Linear(width + facts, factors, bias=False)
        nn.init.zeros_(self.item.weight)
        nn.init.normal_(self.factors.weight, std=0.05)
        with torch.no_grad():
            self.item.weight[0, width] = 1.0

    def forward(self, taste: Tensor, items: Tensor, facts: Tensor) -> Tensor:
        """Shapes: taste [B,T], items [B,K,D], facts [B,K,2] -> rating [B,K]."""
        # (map x) · t is x · (t map): no item is mapped, the person is.
        weight = self.item.weight + taste[:, 1:] @ self.factors.weight  # [B,D+2]
        width = items.shape[2]
        of_items, of_facts = weight[:, :width] / self.scale, weight[:, width:]
        rating = self.item.bias + taste[:, :1]
        rating = rating + (items @ of_items.unsqueeze(2)).squeeze(-1)
        rating = rating + (facts @ of_facts.unsqueeze(2)).squeeze(-1)
        return torch.clamp(rating, 1.0, 5.0)

    def parts(self, items: Tensor, facts: Tensor) -> tuple[Tensor, Tensor]:
        """What does not depend on the person: [..] and [..,R]."""
        known = torch.cat([items / self.scale, facts], dim=-1)
        return self.item(known).squeeze(-1), self.factors(known)
