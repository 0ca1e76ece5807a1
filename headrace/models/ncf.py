"""The ranking head: neural collaborative filtering over a few hundred candidates at once."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from headrace.models.rating import RatingOutput

ATTENTION_WIDTH = 32
HIDDEN = (96, 48)
# Of the features: log(1 + events) of an item, and beside it its mean rating.
_POPULARITY = 2
_RATING_FACTS = (10, _POPULARITY)
# The rating of those who know of none.
_MIDDLE = 3.0


class NcfHead(nn.Module):
    """logit = score / temperature + linear(features)
    + alpha * MLP(user, candidate, product, attention, features) of an item that is known;
    of a new one, a second linear part instead of the MLP.

    The linear parts and the last layer of the MLP are zero at first and feature 0 is the retrieval
    score, so the head starts as retrieval order. What the inner product lacks comes in by the
    candidate's attention over the items touched lately, and by the features. NeuMF (He et al.
    2017) gave the product and the MLP, DIN (Zhou et al. 2018) the attention. What the MLP learned
    of known items misleads where there are only words: between the two it is weighed by how many
    events an item has.

    The expected rating is an output of its own, fitted on all ratings: see
    `headrace.models.rating`. A person's vector is then [u; taste]; without ratings it is u.
    """

    feature_mean: Tensor
    feature_scale: Tensor
    calibration: Tensor

    def __init__(
        self,
        width: int,
        features: int,
        rating: RatingOutput | None = None,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.width = width
        self.rating = rating
        self.register_buffer("feature_mean", torch.zeros(features))
        self.register_buffer("feature_scale", torch.ones(features))
        # preference = sigmoid(slope * logit + offset)
        self.register_buffer("calibration", torch.zeros(2))
        self.temperature_log = nn.Parameter(torch.zeros(()))
        self.alpha = nn.Parameter(torch.ones(()))
        self.linear = nn.Linear(features, 1, bias=False)
        self.linear_new = nn.Linear(features, 1)
        self.query = nn.Linear(width, ATTENTION_WIDTH)
        self.key = nn.Linear(width, ATTENTION_WIDTH)
        self.value = nn.Linear(width, ATTENTION_WIDTH)
        # One layer over [u, v, u*v, attention, features], split so that the user's part is
        # computed once and not per candidate.
        self.from_user = nn.Linear(width, HIDDEN[0], bias=False)
        self.from_candidate = nn.Linear(width, HIDDEN[0])
        self.from_product = nn.Linear(width, HIDDEN[0], bias=False)
        self.from_attention = nn.Linear(ATTENTION_WIDTH, HIDDEN[0], bias=False)
        self.from_features = nn.Linear(features, HIDDEN[0], bias=False)
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(HIDDEN[0], HIDDEN[1])
        self.preference = nn.Linear(HIDDEN[1], 1)
        self.rank_as_retrieved()

    @torch.no_grad()
    def rank_as_retrieved(self) -> None:
        """The order of retrieval, whatever was learned; expected ratings stay."""
        for layer in (self.linear, self.linear_new, self.preference):
            layer.weight.zero_()
        for bias in (self.linear_new.bias, self.preference.bias):
            bias.zero_()
        self.temperature_log.zero_()
        self.calibration.copy_(torch.tensor([1.0, 0.0]))

    def logits(
        self,
        user: Tensor,
        candidates: Tensor,
        recent: Tensor,
        recent_mask: Tensor,
        features: Tensor,
    ) -> Tensor:
        """Uncalibrated preference.

        Shapes: user [B,D+T], candidates [B,K,D], recent [B,R,D], recent_mask [B,R] (1: an item),
        features [B,K,F] -> [B,K].
        """
        user = user[:, : self.width]
        normal = (features - self.feature_mean) / self.feature_scale
        attended = self._attend(candidates, recent, recent_mask)  # [B,K,A]
        # W(u*v) is (W*u)v: one product with each candidate instead of two.
        of_candidate = self.from_candidate.weight + self.from_product.weight * user.unsqueeze(1)
        once = self.from_user(user) + self.from_candidate.bias
        hidden = (
            once.unsqueeze(1)
            + candidates @ of_candidate.transpose(1, 2)
            + self.from_attention(attended)
            + self.from_features(normal)
        )  # [B,K,H]
        hidden = torch.relu(self.hidden(self.dropout(torch.relu(hidden))))
        retrieval = features[..., 0] / torch.exp(self.temperature_log)
        new = torch.exp(-features[..., _POPULARITY])  # 1 / (1 + events)
        logit = retrieval + self.linear(normal).squeeze(-1)
        logit = logit + new * self.linear_new(normal).squeeze(-1)
        out: Tensor = logit + (1 - new) * self.alpha * self.preference(hidden).squeeze(-1)
        return out

    def ratings(self, user: Tensor, candidates: Tensor, features: Tensor) -> Tensor:
        """Expected ratings from 1 to 5. Shapes as `logits` -> [B,K]."""
        if self.rating is None:
            return torch.full_like(features[..., 0], _MIDDLE)
        facts = features[..., list(_RATING_FACTS)]
        out: Tensor = self.rating(user[:, self.width :], candidates, facts)
        return out

    def forward(
        self,
        user: Tensor,
        candidates: Tensor,
        recent: Tensor,
        recent_mask: Tensor,
        features: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Shapes as `logits`; returns preference [B,K] in 0..1, calibrated, and rating [B,K]."""
        logit = self.logits(user, candidates, recent, recent_mask, features)
        preference = torch.sigmoid(self.calibration[0] * logit + self.calibration[1])
        return preference, self.ratings(user, candidates, features)

    def _attend(self, candidates: Tensor, recent: Tensor, recent_mask: Tensor) -> Tensor:
        # What can be done to R items is not done to K times R scores.
        keys = self.key(recent) / ATTENTION_WIDTH**0.5
        values = self.value(recent) * recent_mask.unsqueeze(2)
        scores = self.query(candidates) @ keys.transpose(1, 2)  # [B,K,R]
        weights = torch.softmax(scores - 1e9 * (1 - recent_mask.unsqueeze(1)), dim=-1)
        out: Tensor = weights @ values
        return out
