"""Numbers that a command line may give."""

from __future__ import annotations

import argparse
import math

NARROWEST, WIDEST = 8, 1_024
"""Numbers in a vector."""
SAMPLED = (
    "rank each target among so many items drawn at random as well, 99 for He et al. 2017; only "
    "for comparing with tables made that way"
)


def minutes(text: str) -> float:
    """Raises: ArgumentTypeError for what is no span of time."""
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"must be above 0, is {text}")
    return number


def whole(text: str) -> int:
    """Raises: ArgumentTypeError for what is no whole number from 0."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, is {text}")
    return number


def count(text: str) -> int:
    """Raises: ArgumentTypeError for what is no whole number from 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, is {text}")
    return number


def width(text: str) -> int:
    """Raises: ArgumentTypeError for what no vector is to be as wide as."""
    number = int(text)
    if not NARROWEST <= number <= WIDEST:
        raise argparse.ArgumentTypeError(f"must be {NARROWEST} to {WIDEST}, is {text}")
    return number
