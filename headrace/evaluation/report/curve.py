"""How a bundle learned: validation over the time of its training."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from headrace.errors import DataInvalid
from headrace.evaluation.report.drawing import Drawn, ticks, whole_drawing

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 860, 320, 60, 70, 52, 46


class Judgement(NamedTuple):
    """NDCG@10 on validation after so many minutes and epochs."""

    minutes: float
    epochs: int
    ndcg: float


def read_curve(path: Path) -> Sequence[Judgement]:
    """What training has written beside its checkpoints, in JSON Lines.

    Raises: DataInvalid where a line is something else; OSError where the file cannot be read.
    """
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            at = json.loads(line)
            found.append(Judgement(at["seconds"] / 60, at["epochs"], at["ndcg_at_10"]))
        except (ValueError, KeyError, TypeError) as error:
            raise DataInvalid(
                f"{path}, line {number}: expected an object with seconds, epochs and ndcg_at_10"
            ) from error
    return found


def drawn_curve(curve: Sequence[Judgement]) -> Iterator[Drawn]:
    """The curve, if there is one."""
    if curve:
        shows = "NDCG@10 on validation over training"
        yield Drawn("learning-curve.svg", shows, curve_plot(curve))


def curve_plot(curve: Sequence[Judgement]) -> str:
    """A line, the best judgement marked."""
    right = max(at.minutes for at in curve) or 1.0
    top = max(at.ndcg for at in curve) or 1.0
    best = max(curve, key=lambda at: at.ndcg)

    def x(minutes: float) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * minutes / right, 1)

    def y(ndcg: float) -> float:
        return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * ndcg / top, 1)

    def grid() -> Iterator[str]:
        for value in ticks(top):
            yield f'<path class="grid" d="M{_LEFT} {y(value)}H{_WIDTH - _RIGHT}"/>'
            yield (
                f'<text class="quiet" x="{_LEFT - 8}" y="{y(value) + 4}" text-anchor="end">'
                f"{value:g}</text>"
            )
        for value in ticks(right):
            yield (
                f'<text class="quiet" x="{x(value)}" y="{_HEIGHT - _BOTTOM + 18}" '
                f'text-anchor="middle">{value:g}</text>'
            )

    points = "L".join(f"{x(at.minutes)} {y(at.ndcg)}" for at in curve)
    body = [
        *grid(),
        f'<path class="line" d="M{points}"/>',
        f'<circle class="dot" cx="{x(best.minutes)}" cy="{y(best.ndcg)}" r="4"/>',
        f'<text x="{x(best.minutes)}" y="{y(best.ndcg) - 9}" text-anchor="middle">'
        f"{best.ndcg:.4f}</text>",
        f'<text class="quiet" x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 8}" '
        'text-anchor="middle">minutes of training</text>',
    ]
    said = (
        f"{len(curve)} judgements over {right:.0f} minutes; the best is {best.ndcg:.4f} after "
        f"{best.minutes:.0f} minutes and {best.epochs} epochs"
    )
    title = "Learning curve: NDCG@10 on validation"
    return whole_drawing(title, said, _WIDTH, _HEIGHT, "\n".join(body))
