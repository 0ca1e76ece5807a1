"""Means with their intervals as an SVG element."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from headrace.evaluation.intervals import Interval
from headrace.evaluation.report.drawing import ticks, whole_drawing

_WIDTH, _LEFT, _RIGHT, _ROW, _TOP = 860, 210, 70, 28, 40


def intervals_plot(title: str, named: Sequence[tuple[str, Interval]], reference: str = "") -> str:
    """A bar for each mean from 0, its interval over it, in the order given."""
    top = max((found.high for _, found in named), default=0.0) or 1.0
    bottom = _TOP + _ROW * len(named)
    said = ", ".join(f"{name} {found.mean:.4f}" for name, found in named)
    rows = (
        _row(_TOP + _ROW * row, name, found, top, "own" if name == reference else "bar")
        for row, (name, found) in enumerate(named)
    )
    body = "\n".join([*_grid(top, bottom), *rows])
    return whole_drawing(title, said, _WIDTH, bottom + 26, body)


def _grid(top: float, bottom: int) -> Iterator[str]:
    for value in ticks(top):
        x = _x(value, top)
        yield f'<path class="grid" d="M{x} {_TOP - 6}V{bottom}"/>'
        yield f'<text class="quiet" x="{x}" y="{bottom + 18}" text-anchor="middle">{value:g}</text>'


def _row(y: int, name: str, found: Interval, top: float, kind: str) -> str:
    low, high, mean = (_x(value, top) for value in (found.low, found.high, found.mean))
    middle = y + 10
    return (
        f'<text x="{_LEFT - 12}" y="{y + 15}" text-anchor="end">{escape(name)}</text>'
        f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{round(mean - _LEFT, 1)}" height="20" '
        f'rx="2"/>'
        f'<path class="whisker" d="M{low} {middle}H{high}M{low} {y + 5}v10M{high} {y + 5}v10"/>'
        f'<text x="{high + 8}" y="{y + 15}">{found.mean:.4f}</text>'
    )


def _x(value: float, top: float) -> float:
    return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * value / top, 1)
