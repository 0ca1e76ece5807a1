"""Ids of requests and spans, which nobody has to be unable to guess.

Not from `secrets`: that asks the kernel, which gives the interpreter's lock away, and in a process
with busy threads it comes back with a switch between them, or milliseconds later.
"""

import random

_RANDOM = random.Random()  # noqa: S311 - no secrets


def new_id(digits: int) -> str:
    """So many hex digits at random; ids of 16 hardly ever meet by chance."""
    return f"{_RANDOM.getrandbits(4 * digits):0{digits}x}"
