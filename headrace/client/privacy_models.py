"""What the clients of privacy return."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

PlaceState = Literal["gone", "forgotten", "expires", "found"]


@dataclass(frozen=True)
class Personalisation:
    """Whether a person's lists may be personal. changed_at: None where they never said."""

    user_id: str
    enabled: bool
    changed_at: datetime | None


@dataclass(frozen=True)
class ErasureReceipt:
    """What proves later what was erased; keep all of it. visits: erased with the person."""

    erasure_id: str
    user_id: str
    visits: tuple[str, ...]
    requested_at: datetime
    code: str


@dataclass(frozen=True)
class ErasedPlace:
    """What became of a table, a topic, or the memory of a kind of process.

    state: gone, forgotten (nobody reads it, the last bytes go by `gone_by`), expires (by age, by
    `gone_by`), or found, which should not be. removed: rows, records or things in memory.
    """

    place: str
    state: PlaceState
    removed: int
    gone_by: datetime | None


@dataclass(frozen=True)
class Erasure:
    """How far an erasure is. completed_at: None while it goes on."""

    requested_at: datetime
    completed_at: datetime | None
    places: tuple[ErasedPlace, ...]


@dataclass(frozen=True)
class ErasureCheck:
    """What is found now. clean: nothing that should not be there. begun_anew: somebody came under
    the id since, and what is found may be theirs."""

    checked_at: datetime
    clean: bool
    begun_anew: bool
    places: tuple[ErasedPlace, ...]
