"""Ids of people, items and events: opaque text, given by the caller."""

from typing import Annotated

from pydantic import AfterValidator, Field

ID_LENGTH = 128


def _printable(identifier: str) -> str:
    if not identifier.isprintable():
        raise ValueError("must hold visible characters and plain spaces alone")
    return identifier


Identifier = Annotated[str, Field(min_length=1, max_length=ID_LENGTH), AfterValidator(_printable)]
"""1-128 characters, all of them visible or plain spaces."""
