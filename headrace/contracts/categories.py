"""Categories: paths in a tree, written as one text, `Home > Kitchen > Knives`."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field

SEPARATOR = " > "
_PATH_LENGTH = 300
_STEP_LENGTH = 100
_STEPS = 8


def _path(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not hold the character NUL")
    steps = [step.strip() for step in text.split(SEPARATOR.strip())]
    if not all(1 <= len(step) <= _STEP_LENGTH for step in steps):
        raise ValueError(f"each step of a path must have 1 to {_STEP_LENGTH} characters: {text!r}")
    if len(steps) > _STEPS:
        raise ValueError(f"must have at most {_STEPS} steps, not {len(steps)}")
    return SEPARATOR.join(steps)


CategoryPath = Annotated[str, Field(min_length=1, max_length=_PATH_LENGTH), AfterValidator(_path)]
"""A path of 1-8 steps, each 1-100 characters, in its one spelling: `Home>Kitchen` is the same."""


def with_ancestors(paths: Iterable[str]) -> list[str]:
    """Each path and all above it, each once: `A > B` gives `A` and `A > B`."""
    found: dict[str, None] = {}
    for path in paths:
        steps = path.split(SEPARATOR)
        for depth in range(1, len(steps) + 1):
            found[SEPARATOR.join(steps[:depth])] = None
    return list(found)
