"""Numbers that a command line may give."""

from __future__ import annotations

import argparse
import math


def minutes(text: str) -> float:
    """Raises: ArgumentTypeError for what is no span of time."""
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"must be above 0, is {text}")
    return number


def count(text: str) -> int:
    """Raises: ArgumentTypeError for what is no whole number from 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, is {text}")
    return number
