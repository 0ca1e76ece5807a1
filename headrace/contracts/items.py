"""An item as its owner describes it."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from headrace.contracts.identifiers import Identifier

ITEMS_PER_REQUEST = 1_000


def _without_nul(text: str) -> str:
    # Postgres holds every character but this one.
    if "\x00" in text:
        raise ValueError("must not hold the character NUL")
    return text


Text = Annotated[str, AfterValidator(_without_nul)]
Label = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_without_nul)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class ItemContent(BaseModel):
    """What is known about an item, without its id."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Text = Field(min_length=1, max_length=500)
    description: Text = Field(default="", max_length=10_000)
    categories: tuple[Label, ...] = Field(default=(), max_length=32)
    tags: tuple[Label, ...] = Field(default=(), max_length=64)
    attributes: dict[Label, Number] = Field(
        default_factory=dict,
        max_length=64,
        description="Finite numbers by name, for instance `year` or `price`.",
    )


class NewItem(ItemContent):
    """An item to add or replace."""

    item_id: Identifier
