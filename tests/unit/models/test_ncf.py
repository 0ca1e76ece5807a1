import torch
from torch import Tensor

from headrace.models.ncf import NcfHead

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
