"""What watching costs, of what was measured."""

import pytest

from bench.overhead import Cost, Figures, Turn, rows
from bench.watched import Watching


def _turn(bare_ms: float, metrics_ms: float, every_ms: float) -> Turn:
    """Of 10 lists, a quarter of it in the gateway."""
    ms = {
        Watching.BARE: bare_ms,
        Watching.METRICS: metrics_ms,
        Watching.EVERY: every_ms,
    }
    return {one: Cost([0.75 * cost / 100, 0.25 * cost / 100], 10) for one, cost in ms.items()}


def test_a_figure_is_the_median_over_turns_of_the_ratio_to_the_bare_handful() -> None:
    # The second turn came upon a busy machine.
    turns = [_turn(4.0, 4.1, 4.5), _turn(40.0, 41.0, 45.0), _turn(4.0, 4.4, 4.4)]
    figures = Figures([turns], [Cost([0.075, 0.025], 20)], exports_ms=0.02)
    bare, metrics, in_hundred, every, product = rows(figures)
    assert bare == ["bare", pytest.approx(3.0), pytest.approx(1.0), pytest.approx(4.0), "", ""]
    assert metrics[4] == pytest.approx(2.5)
    assert every[4] == pytest.approx(12.5)
    # A hundredth of what spans add, and what sending them takes: 0.02 of 4 ms.
    assert in_hundred[4] == pytest.approx(2.5 + 0.1 + 0.5)
    assert product[3] == pytest.approx(5.0)
    assert product[4] == pytest.approx(25.0)
