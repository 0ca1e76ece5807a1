"""A panel as HTML: lines over time, one number, or names."""

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from deploy.grafana.panels import Panel

Line = Sequence[tuple[float, float]]
"""Unix seconds and a number that is finite, in order of time."""

COLOURS = (
    "#3b82f6", "#f59e0b", "#10b981", "#ef4444", "#8b5cf6", "#06b6d4", "#84cc16", "#ec4899",
    "#64748b", "#b45309", "#0f766e", "#a78bfa",
)  # fmt: skip
_COLUMN, _HIGH = 40.0, 110.0
_LEFT, _BELOW = 46.0, 14.0
_STEPS = 4
# Whose quarters are short to write.
_TOPS = (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10)
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_SPANS = ((86_400, "days"), (3_600, "h"), (60, "min"))


def told(value: float, unit: str) -> str:
    """A number as people read it, in Grafana's units."""
    if unit == "percentunit":
        return f"{100 * value:.4g} %"
    if unit == "s":
        return _duration(value)
    suffix = {"bytes": "B", "reqps": "/s", "cps": "/s"}.get(unit, "")
    for size, prefix in _PREFIXES:
        if abs(value) >= size:
            return f"{value / size:.3g} {prefix}{suffix}".rstrip()
    return f"{value:.3g}{' B' if unit == 'bytes' else suffix}"


def _duration(seconds: float) -> str:
    for size, name in _SPANS:
        if abs(seconds) >= size:
            return f"{seconds / size:.3g} {name}"
    return f"{seconds:.3g} s" if abs(seconds) >= 1 else f"{1000 * seconds:.3g} ms"


def drawn(panel: Panel, lines: Mapping[str, Line], span: tuple[float, float]) -> str:
    """HTML of what a panel shows. lines: by legend. span: Unix seconds from left to right."""
    filled = {legend: line for legend, line in lines.items() if line}
    if not filled:
        return '<p class="nothing">No data</p>'
    if panel.kind == "names":
        return _names(filled)
    if panel.kind == "stat":
        value = next(iter(filled.values()))[-1][1]
        return f'<p class="number {_state(panel, value)}">{escape(told(value, panel.unit))}</p>'
    return _graph(panel, filled, span) + _legend(panel, filled)


def _names(lines: Mapping[str, Line]) -> str:
    """Of those that go on to the end."""
    end = max(line[-1][0] for line in lines.values())
    there = (escape(legend) for legend, line in lines.items() if line[-1][0] == end)
    return f'<ul class="names">{"".join(f"<li>{name}</li>" for name in there)}</ul>'


def _state(panel: Panel, value: float) -> str:
    if panel.threshold is None:
        return ""
    return "good" if (value >= panel.threshold) == (panel.good == "high") else "bad"


def _graph(panel: Panel, lines: Mapping[str, Line], span: tuple[float, float]) -> str:
    top = _top(max(value for line in lines.values() for _, value in line), panel.unit)
    wide = _COLUMN * panel.width
    parts = list(_grid(panel, top, wide))
    if panel.threshold is not None and panel.threshold <= top:
        y = _y(panel.threshold, top)
        parts.append(f'<line class="limit" x1="{_LEFT}" x2="{wide}" y1="{y:.1f}" y2="{y:.1f}"/>')
    for number, line in enumerate(lines.values()):
        points = " ".join(f"{_x(at, span, wide):.1f},{_y(value, top):.1f}" for at, value in line)
        colour = COLOURS[number % len(COLOURS)]
        parts.append(f'<polyline points="{points}" stroke="{colour}"/>')
    box = f'viewBox="0 0 {wide} {_HIGH}" role="img" aria-label="{escape(panel.title)}"'
    return f"<svg {box}>{''.join(parts)}</svg>"


def _grid(panel: Panel, top: float, wide: float) -> Iterator[str]:
    for step in range(_STEPS + 1):
        value = top * step / _STEPS
        y = _y(value, top)
        yield f'<line x1="{_LEFT}" x2="{wide}" y1="{y:.1f}" y2="{y:.1f}"/>'
        text = escape(told(value, panel.unit))
        yield f'<text x="{_LEFT - 4}" y="{y + 3:.1f}" text-anchor="end">{text}</text>'


def _legend(panel: Panel, lines: Mapping[str, Line]) -> str:
    entries = (
        f'<li style="--colour: {COLOURS[number % len(COLOURS)]}">'
        f"{escape(legend)} <b>{escape(told(line[-1][1], panel.unit))}</b></li>"
        for number, (legend, line) in enumerate(lines.items())
    )
    return f"<ul>{''.join(entries)}</ul>"


def _top(greatest: float, unit: str) -> float:
    """A round number at or above, of the words that it is told in; 1 where all is 0 or below."""
    if greatest <= 0:
        return 1.0
    for size, _ in _SPANS if unit == "s" else ():
        if greatest >= size:
            return size * _top(greatest / size, "")
    power = 10.0 ** math.floor(math.log10(greatest))
    return next(step * power for step in _TOPS if step * power >= greatest * 0.9999)


def _x(at: float, span: tuple[float, float], wide: float) -> float:
    return _LEFT + (at - span[0]) / (span[1] - span[0]) * (wide - _LEFT)


def _y(value: float, top: float) -> float:
    return (_HIGH - _BELOW) - max(value, 0.0) / top * (_HIGH - _BELOW - 4)
