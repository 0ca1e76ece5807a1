"""What all drawings share: a frame that reads well on light and on dark, and round numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from typing import NamedTuple

# In the drawing itself: the Markdown report shows it as a picture of its own.
_STYLE = """
.drawing { max-width: 100%; height: auto; }
.drawing text { font: 13px system-ui, sans-serif; fill: #1b2733; }
.drawing .title { font-weight: 600; font-size: 15px; } .drawing .quiet { fill: #55636f; }
.drawing .bar { fill: #8fb8cc; } .drawing .own { fill: #1f7396; }
.drawing .grid { stroke: #dfe5ea; fill: none; }
.drawing .whisker { stroke: #b4470f; stroke-width: 2; fill: none; }
.drawing .line { stroke: #1f7396; stroke-width: 2; fill: none; }
.drawing .dot { fill: #b4470f; }
@media (prefers-color-scheme: dark) {
  .drawing text { fill: #dde5ec; } .drawing .quiet { fill: #9fb0be; }
  .drawing .bar { fill: #3d6478; } .drawing .own { fill: #4aa8cf; }
  .drawing .grid { stroke: #2b3843; } .drawing .whisker { stroke: #f0a06e; }
  .drawing .line { stroke: #4aa8cf; } .drawing .dot { fill: #f0a06e; }
}
"""


class Drawn(NamedTuple):
    """An SVG element, what it shows, and the file that it goes to."""

    file: str
    shows: str
    svg: str


def whole_drawing(title: str, said: str, width: int, height: int, body: str) -> str:
    """`said` is the drawing in words, for those who do not see it."""
    return (
        f'<svg class="drawing" role="img" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" xmlns="http://www.w3.org/2000/svg">\n'
        f"<title>{escape(title)}</title>\n<desc>{escape(said)}</desc>\n<style>{_STYLE}</style>\n"
        f'<text class="title" x="0" y="18">{escape(title)}</text>\n{body}\n</svg>'
    )


def ticks(top: float, most: int = 5) -> Iterator[float]:
    """Round numbers from 0 up to `top`, at most so many steps of 1, 2 or 5 times a power of ten."""
    least = top / most
    power = 10.0 ** math.floor(math.log10(least))
    step = next(power * round_one for round_one in (1, 2, 5, 10) if power * round_one >= least)
    for number in range(math.floor(top / step + 1e-9) + 1):
        yield round(number * step, 10)
