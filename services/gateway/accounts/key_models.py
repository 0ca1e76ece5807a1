"""What callers send and get about API keys."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from headrace.contracts.identifiers import Identifier
from headrace.contracts.items import Label
from services.gateway.keys import Scope


def _unlike(scopes: list[Scope]) -> list[Scope]:
    if len(set(scopes)) < len(scopes):
        raise ValueError("must name each scope once")
    return scopes


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NewKeyRequest(_Body):
    """A key to make."""

    name: Label = Field(description="For people: which application.", examples=["shop backend"])
    scopes: Annotated[list[Scope], Field(min_length=1), AfterValidator(_unlike)] = Field(
        examples=[["events", "read"]]
    )


class KeyReference(_Body):
    """Which key."""

    key_id: Identifier


class KeyInfo(_Body):
    """A key, without the key itself."""

    key_id: str = Field(examples=["key_3f9c1a0b7d52"])
    name: str = Field(examples=["shop backend"])
    scopes: list[Scope] = Field(examples=[["events", "read"]])
    created_at: datetime
    created_by: str = Field(
        description="Id of the key or account that made it; `settings`: a key of the settings.",
        examples=["settings"],
    )
    last_used_at: datetime | None = Field(description="To the minute; null: never.")
    revoked_at: datetime | None = Field(description="Null: it is valid.")


class MadeKey(KeyInfo):
    """The new key, shown this once."""

    key: str = Field(
        description="Keep it: only its hash is stored.",
        examples=["hr_wmZ3u3Qy0X4nqJf9dJtq4m1kq5Vd2cH3q7o8p9r0s1t"],
    )


class KeyList(_Body):
    """All keys, newest first."""

    keys: list[KeyInfo]
