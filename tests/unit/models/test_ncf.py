import torch
from torch import Tensor

from headrace.models.ncf import ATTENTION_WIDTH, NcfHead
from headrace.models.rating import RatingOutput

BATCH, CANDIDATES, RECENT, WIDTH, FEATURES = 2, 6, 4, 8, 5


def inputs() -> list[Tensor]:
    torch.manual_seed(0)
    return [
        torch.randn(BATCH, WIDTH),
        torch.randn(BATCH, CANDIDATES, WIDTH),
        torch.randn(BATCH, RECENT, WIDTH),
        torch.ones(BATCH, RECENT),
        torch.randn(BATCH, CANDIDATES, FEATURES),
    ]


@torch.no_grad()
def test_an_untrained_head_keeps_retrieval_order() -> None:
    batch = inputs()
    preference, rating = NcfHead(WIDTH, FEATURES).eval()(*batch)
    assert torch.equal(preference.argsort(dim=1), batch[4][..., 0].argsort(dim=1))
    assert ((preference > 0) & (preference < 1)).all()
    assert ((rating >= 1) & (rating <= 5)).all()


@torch.no_grad()
def test_items_behind_the_mask_do_not_count() -> None:
    head = NcfHead(WIDTH, FEATURES).eval()
    torch.nn.init.normal_(head.preference.weight)
    batch = inputs()
    batch[3][:, 2:] = 0
    before, _ = head(*batch)
    batch[2][:, 2:] = 100.0
    after, _ = head(*batch)
    torch.testing.assert_close(before, after)


@torch.no_grad()
def test_a_person_without_history_is_scored_too() -> None:
    head = NcfHead(WIDTH, FEATURES).eval()
    torch.nn.init.normal_(head.preference.weight)
    batch = inputs()
    batch[3].zero_()
    preference, _ = head(*batch)
    assert torch.isfinite(preference).all()


@torch.no_grad()
def test_the_logit_is_that_of_the_layers_one_by_one() -> None:
    head = NcfHead(WIDTH, FEATURES).eval()
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    user, candidates, recent, mask, features = inputs()
    mask[1, 0] = 0
    scores = head.query(candidates) @ head.key(recent).transpose(1, 2) / ATTENTION_WIDTH**0.5
    weights = torch.softmax(scores.masked_fill(mask.unsqueeze(1) == 0, -torch.inf), dim=-1)
    hidden = (
        head.from_user(user).unsqueeze(1)
        + head.from_candidate(candidates)
        + head.from_product(user.unsqueeze(1) * candidates)
        + head.from_attention(weights @ head.value(recent))
        + head.from_features(features)
    )
    deep = head.preference(torch.relu(head.hidden(torch.relu(hidden)))).squeeze(-1)
    new = torch.exp(-features[..., 2])
    expected = (
        features[..., 0] / torch.exp(head.temperature_log)
        + head.linear(features).squeeze(-1)
        + new * head.linear_new(features).squeeze(-1)
        + (1 - new) * head.alpha * deep
    )
    actual = head.logits(user, candidates, recent, mask, features)
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_rating_is_item_and_lean_and_what_both_factors_agree_on() -> None:
    rating = RatingOutput(WIDTH, factors=3)
    rating.scale.fill_(2.0)
    taste, items, facts = torch.randn(2, 4), torch.randn(2, 6, WIDTH), torch.randn(2, 6, 2)
    base, factors = rating.parts(items, facts)
    expected = base + taste[:, :1] + (factors * taste[:, None, 1:]).sum(dim=-1) + 3
    taste[:, 0] += 3
    torch.testing.assert_close(rating(taste, items, facts), expected.clamp(1, 5))
