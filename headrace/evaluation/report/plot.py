"""Means with their intervals as an SVG element."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from headrace.evaluation.intervals import Interval

_WIDTH, _LEFT, _RIGHT, _ROW, _TOP = 860, 220, 70, 26, 34
_BAR, _WHISKER = "#2f7f9f", "#c2571a"


def intervals_plot(title: str, named: Sequence[tuple[str, Interval]]) -> str:
    """A bar for each mean from 0, its interval over it, in the order given."""
    top = max((found.high for _, found in named), default=0.0) or 1.0
    height = _TOP + _ROW * len(named) + 8
    rows = "\n".join(
        _row(_TOP + _ROW * row, name, found, top) for row, (name, found) in enumerate(named)
    )
    return (
        f'<svg role="img" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'xmlns="http://www.w3.org/2000/svg">\n<title>{escape(title)}</title>\n'
        f'<text x="0" y="18" font-weight="bold">{escape(title)}</text>\n{rows}\n</svg>'
    )


def _row(y: int, name: str, found: Interval, top: float) -> str:
    def x(value: float) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * value / top, 1)

    low, high, mean, middle = x(found.low), x(found.high), x(found.mean), y + 9
    return (
        f'<text x="{_LEFT - 10}" y="{y + 14}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{_LEFT}" y="{y}" width="{round(mean - _LEFT, 1)}" height="18" fill="{_BAR}"/>'
        f'<path d="M{low} {middle}H{high}M{low} {y + 4}v10M{high} {y + 4}v10" stroke="{_WHISKER}" '
        f'stroke-width="2" fill="none"/>'
        f'<text x="{high + 8}" y="{y + 14}">{found.mean:.4f}</text>'
    )
