"""What the clients of accounts return."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Role = Literal["shopper", "merchandiser", "operator"]
AgeBand = Literal["under_18", "18_24", "25_34", "35_44", "45_54", "55_64", "65_and_over"]
Scope = Literal["events", "read", "catalogue", "admin"]


@dataclass(frozen=True)
class Session:
    """Tokens of a sign-in. `access_token` is the `api_key` of a client that acts for the person.

    expires_in, refresh_expires_in: seconds that the tokens live.
    visit_claimed: the events of the visit before are this person's now.
    """

    user_id: str
    role: Role
    access_token: str
    expires_in: int
    refresh_token: str
    refresh_expires_in: int
    visit_claimed: bool


@dataclass(frozen=True)
class Account:
    """An account and what its person told."""

    user_id: str
    email: str
    role: Role
    created_at: datetime
    name: str
    age_band: AgeBand | None
    interests: tuple[str, ...]


@dataclass(frozen=True)
class Visit:
    """A visitor without an account; `token` is the `api_key` of a client that acts for them."""

    visitor_id: str
    token: str
    expires_in: int


@dataclass(frozen=True)
class ApiKey:
    """A key of an application. `key` is there once, when it was made."""

    key_id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    created_by: str
    last_used_at: datetime | None
    revoked_at: datetime | None
    key: str | None = None
