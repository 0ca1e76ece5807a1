"""How long background work rests."""

import pytest

from headrace.runtime.share import Share


def test_work_rests_until_it_took_no_more_than_its_share() -> None:
    assert Share(0.25).rest_s(0.01) == pytest.approx(0.03)
    assert Share(1.0).rest_s(0.01) == 0
