"""An item as its owner describes it."""

import struct
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from headrace.contracts.categories import CategoryPath
from headrace.contracts.identifiers import Identifier

ITEMS_PER_REQUEST = 1_000

Availability = Literal["in_stock", "out_of_stock", "preorder", "backorder"]


def _without_nul(text: str) -> str:
    # Postgres holds every character but this one.
    if "\x00" in text:
        raise ValueError("must not hold the character NUL")
    return text


def _as_float32(number: float) -> float:
    nearest: float = struct.unpack("<f", struct.pack("<f", number))[0]
    return nearest


def _with_year_of_four_digits(moment: datetime) -> datetime:
    # What a time zone may move out of what Postgres, protobuf and Python can all hold.
    if not 2 <= moment.year <= 9998:
        raise ValueError("must lie in the years 2 to 9998")
    return moment


Text = Annotated[str, AfterValidator(_without_nul)]
Label = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_without_nul)]
ShortText = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_without_nul)]
Number = Annotated[float, Field(allow_inf_nan=False)]
# As exact as it is kept and sent, so that what comes back is what is there.
Coordinate = Annotated[
    float, Field(allow_inf_nan=False, ge=-3.4e38, le=3.4e38), AfterValidator(_as_float32)
]
Moment = Annotated[AwareDatetime, AfterValidator(_with_year_of_four_digits)]
# A link or a path on the shop's own host: never a script, never `//another.host`.
PictureUrl = Annotated[
    str, Field(max_length=2_000, pattern=r"^$|^https?://[^\s\x00]+$|^/(?:[^/\s\x00][^\s\x00]*)?$")
]


class Price(BaseModel):
    """What an item costs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: Annotated[int, Field(ge=0, le=10**15)] = Field(
        description="In the smallest unit of the currency: 1999 is 19.99 EUR, and 1999 JPY.",
        examples=[1999],
    )
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = Field(
        description="ISO 4217, three capital letters.", examples=["EUR"]
    )


class ItemContent(BaseModel):
    """What is known about an item, without its id."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Text = Field(min_length=1, max_length=500, examples=["Chef's knife"])
    description: Text = Field(default="", max_length=10_000, examples=["Forged, 20 cm."])
    categories: tuple[CategoryPath, ...] = Field(
        default=(),
        max_length=32,
        description="Paths in the tree of categories. An item in `Home > Kitchen` is in `Home` "
        "too, which need not be named.",
        examples=[["Home > Kitchen > Knives"]],
    )
    tags: tuple[Label, ...] = Field(default=(), max_length=64, examples=[["steel", "new"]])
    attributes: dict[Label, Number] = Field(
        default_factory=dict,
        max_length=64,
        description="Finite numbers by name, for instance `year` or `weight_kg`.",
        examples=[{"year": 2026, "weight_kg": 0.2}],
    )
    text_attributes: dict[Label, ShortText] = Field(
        default_factory=dict,
        max_length=64,
        description="Texts by name, for instance `brand`. No name is in `attributes` too.",
        examples=[{"brand": "Mill & Race"}],
    )
    price: Price | None = None
    picture_url: PictureUrl = Field(
        default="",
        description="`https://`, `http://`, or a path on the shop's own host. Empty: none. Where "
        "the operator lists its server, a model that looks at pictures reads it, some seconds "
        "after the item was stored; `revision` grows by that.",
        examples=["https://shop.example/pictures/knife.jpg"],
    )
    availability: Availability = "in_stock"
    publish_at: Moment | None = Field(
        default=None,
        description="Hidden before. Null: shown at once.",
        examples=["2026-01-31T12:00:00Z"],
    )
    expire_at: Moment | None = Field(
        default=None,
        description="Hidden from then on; after `publish_at`. Null: never.",
        examples=[None],
    )

    embedding: tuple[Coordinate, ...] = Field(
        default=(),
        max_length=4_096,
        description="What a model of language or pictures made of the item: finite numbers, as "
        "many as the live model takes, always of the same other model. Empty: there is none.",
        examples=[[]],
    )

    @model_validator(mode="after")
    def _no_name_twice(self) -> Self:
        twice = sorted(self.attributes.keys() & self.text_attributes.keys())
        if twice:
            raise ValueError(f"text_attributes: {twice[0]!r} is in attributes too")
        return self

    @model_validator(mode="after")
    def _a_window_is_open(self) -> Self:
        if self.publish_at and self.expire_at and self.expire_at <= self.publish_at:
            raise ValueError("expire_at: must be after publish_at")
        return self


class NewItem(ItemContent):
    """An item to add or replace."""

    item_id: Identifier = Field(examples=["n-1"])
