"""Kinds of people, by when they came last and how often they do."""

from typing import Literal, get_args

SegmentName = Literal["best", "loyal", "promising", "cooling", "at_risk", "lost"]
SEGMENTS: tuple[SegmentName, ...] = get_args(SegmentName)


def segment_name(recency: int, frequency: int) -> SegmentName:
    """Fifths in plain words: the upper two are many and lately, the lower two long ago."""
    often = frequency >= 4
    if recency >= 4:
        return "best" if often else "promising"
    if recency == 3:
        return "loyal" if often else "cooling"
    return "at_risk" if often else "lost"
