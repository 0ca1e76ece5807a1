"""Where the next page begins, as text that callers hand back."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from headrace.contracts.finding import FindRequest, Sort
from headrace.errors import InvalidInput
from services.item_embedding.found import Match, Place, Reading
from services.item_embedding.words import WORDS, folded


def _a_word(text: str) -> str:
    if not text or " " in text or folded(text) != text:
        raise ValueError("must be a word as queries are read")
    return text


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not hold the character NUL")
    return text


_Group = Annotated[tuple[Annotated[str, AfterValidator(_a_word)], ...], Field(min_length=1)]


class _Cursor(BaseModel):
    """Nothing here is trusted: it came back from a caller."""

    model_config = ConfigDict(extra="forbid")

    digest: str
    groups: Annotated[tuple[_Group, ...], Field(min_length=1, max_length=WORDS)] | None
    match: Match
    corrected_query: Annotated[str, Field(max_length=4_000)]
    key: Annotated[str, Field(max_length=500), AfterValidator(_without_nul)]
    ordinal: Annotated[int, Field(ge=0, lt=2**31)]


def write_cursor(request: FindRequest, reading: Reading, end: Place) -> str:
    cursor = _Cursor(
        digest=_digest(request),
        groups=reading.groups,
        match=reading.match,
        corrected_query=reading.corrected_query,
        key=end.key,
        ordinal=end.ordinal,
    )
    return urlsafe_b64encode(cursor.model_dump_json().encode()).decode().rstrip("=")


def read_cursor(request: FindRequest) -> tuple[Reading, Place]:
    """Raises: InvalidInput where it was not given out for this query, filter and sort."""
    padded = request.cursor + "=" * (-len(request.cursor) % 4)
    try:
        cursor = _Cursor.model_validate_json(urlsafe_b64decode(padded.encode()))
        _check_key(cursor.key, request.order)
    except (ValidationError, ValueError, OverflowError) as error:
        raise InvalidInput.of("cursor", "must be a next_cursor as it was given out") from error
    if cursor.digest != _digest(request) or (cursor.groups is None) == bool(request.query):
        raise InvalidInput.of("cursor", "was given out for another query, filter or sort")
    return (
        Reading(cursor.groups, cursor.match, cursor.corrected_query),
        Place(cursor.key, cursor.ordinal),
    )


def _check_key(key: str, sort: Sort) -> None:
    """Raises: ValueError where Postgres would not read it."""
    if sort in ("relevance", "popular"):
        float(key)
    elif sort in ("price", "price_descending"):
        if not -(2**63) <= int(key) < 2**63:
            raise ValueError("beyond any price")
    elif sort == "newest":
        datetime.fromisoformat(key)


def _digest(request: FindRequest) -> str:
    asked = request.model_dump_json(include={"query", "filter", "sort"})
    return hashlib.blake2b(asked.encode(), digest_size=12).hexdigest()
