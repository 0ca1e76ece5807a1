"""What callers send and get about their data."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from headrace.contracts.identifiers import Identifier
from services.gateway.accounts.models import Password
from services.gateway.privacy.erasure_store import State
from services.gateway.privacy.receipts import Receipt


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _of_our_time(moment: datetime) -> datetime:
    if not 2000 < moment.year < 3000:
        raise ValueError("must be the time in the receipt")
    return moment


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


class EraseRequest(_Body):
    """Who erases."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    password: Password | None = Field(
        default=None, description="Of the account, where its person acts with their own token."
    )


class ErasureReference(_Body):
    """Which erasure."""

    erasure_id: Identifier


class CheckRequest(_Body):
    """The receipt but for the id of the erasure."""

    user_id: Identifier = Field(examples=["u_3f9c1a0b7d52e86a41c09d77"])
    visits: list[Identifier] = Field(max_length=10_000, examples=[["v_09d773f9c1a0b7d52e86a41c"]])
    requested_at: Annotated[AwareDatetime, AfterValidator(_of_our_time)]
    code: str = Field(max_length=200, examples=["wmZ3u3Qy0X4nqJf9dJtq4m1kq5Vd2cH3q7o8p9r0s1t"])


class ErasureReceipt(_Body):
    """What proves later what was erased. Keep it: it is shown this once."""

    erasure_id: str = Field(examples=["er_5b9c3f0e6f6d4d6f9c1a0b7d52e86a41"])
    user_id: str = Field(examples=["u_3f9c1a0b7d52e86a41c09d77"])
    visits: list[str] = Field(
        description="Visits that had become the person's, erased with them.",
        examples=[["v_09d773f9c1a0b7d52e86a41c"]],
    )
    requested_at: datetime
    code: str = Field(
        description="Known to the holder alone: the service keeps a hash of the receipt.",
        examples=["wmZ3u3Qy0X4nqJf9dJtq4m1kq5Vd2cH3q7o8p9r0s1t"],
    )


class PlaceModel(_Body):
    """What became of a place where the person's data lay."""

    place: str = Field(
        description="A table, a topic, or the memory of a kind of process.",
        examples=["postgres/interactions"],
    )
    state: State = Field(
        description="gone: nothing is left. forgotten: nobody reads it any more, and the last "
        "bytes go by `gone_by`. expires: it goes by age, by `gone_by`; nobody reads it any more. "
        "found: it is there and should not."
    )
    removed: int = Field(description="Rows, records or things in memory.", examples=[12])
    gone_by: datetime | None = Field(description="Null: there is nothing to wait for.")


class ErasureInfo(_Body):
    """How far an erasure is. It does not say whose it is."""

    erasure_id: str = Field(examples=["er_5b9c3f0e6f6d4d6f9c1a0b7d52e86a41"])
    requested_at: datetime
    completed_at: datetime | None = Field(
        description="Null: memories and Kafka are being dealt with, which takes seconds."
    )
    places: list[PlaceModel]


class ErasureCheck(_Body):
    """What is found of the erased now. The receipt is the one that was given."""

    erasure_id: str = Field(examples=["er_5b9c3f0e6f6d4d6f9c1a0b7d52e86a41"])
    checked_at: datetime
    clean: bool = Field(description="Nothing is there that should not be.")
    begun_anew: bool = Field(
        description="Somebody came under the same id since, and what is found may be theirs."
    )
    places: list[PlaceModel]


class PersonalisationRequest(_Body):
    """Whether a person's lists may be personal."""

    enabled: bool = Field(
        description="False: lists are general, and what the person does is not kept, but what they "
        "refuse (`not_interested`): their lists do without it.",
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


def receipt_of(erasure_id: str, body: CheckRequest) -> Receipt:
    return Receipt(erasure_id, body.user_id, tuple(body.visits), body.requested_at, body.code)
