"""Where the next page of a history begins, as text that callers hand back."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from headrace.errors import InvalidInput
from services.gateway.history.store import Place


class _Cursor(BaseModel):
    """Nothing here is trusted: it came back from a caller."""

    model_config = ConfigDict(extra="forbid")

    at: AwareDatetime
    n: Annotated[int, Field(ge=1, lt=2**63)]


def write_cursor(end: Place) -> str:
    text = _Cursor(at=end.occurred_at, n=end.n).model_dump_json()
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> Place:
    """Raises: InvalidInput where it was not given out."""
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        read = _Cursor.model_validate_json(urlsafe_b64decode(padded.encode()))
    except (ValidationError, ValueError) as error:
        raise InvalidInput.of("cursor", "must be a next_cursor as it was given out") from error
    return Place(read.at, read.n)
