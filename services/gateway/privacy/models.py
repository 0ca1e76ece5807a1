"""What callers send and get about their data."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from headrace.contracts.identifiers import Identifier


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PersonReference(_Body):
    """Whose data."""

    user_id: Identifier


class ExportedRecords(_Body):
    """What a Kafka topic still holds."""

    complete: bool = Field(description="False: it holds more than 10,000 records.")
    records: list[dict[str, Any]] = Field(
        description="Each with partition, offset, written_at, and what it says."
    )


class Export(_Body):
    """Everything that is stored of a person."""

    user_id: str = Field(examples=["259"])
    exported_at: datetime
    visits: list[str] = Field(
        description="Ids of visits that became the person's; what is stored of them is here, too.",
        examples=[["v_09d773f9c1a0b7d52e86a41c"]],
    )
    postgres: dict[str, list[dict[str, Any]]] = Field(
        description="Rows by table; never the hash of a password or a token."
    )
    kafka: dict[str, ExportedRecords] = Field(description="By topic.")


class PersonalisationRequest(_Body):
    """Whether a person's lists may be personal."""

    enabled: bool = Field(
        description="False: lists are general, and what the person does is not kept.",
        examples=[False],
    )


class PersonalisationOf(PersonReference, PersonalisationRequest):
    """Whose lists, and whether they may be personal."""


class PersonalisationInfo(_Body):
    """What a person said about personal lists."""

    user_id: str = Field(examples=["259"])
    enabled: bool = Field(description="Whether the person's lists may be personal.")
    changed_at: datetime | None = Field(
        description="When they said so last. Null: they never did, and it is enabled."
    )
