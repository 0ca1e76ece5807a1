"""Which items may be in a list: a condition as one JSON object with one key.

    {"all": [{"category": {"one_of": ["Home"]}}, {"number": {"name": "year", "gte": 2020}}]}

The meaning is that of headrace.api.ranker.v1.Filter, field by field.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from headrace.contracts.categories import CategoryPath
from headrace.contracts.items import Availability, Label, Number, ShortText

DEPTH = 8
CONDITIONS = 100
VALUES = 1_000
_ONE_OF = Field(min_length=1, max_length=100, description="One of these.")
_Amount = Annotated[int, Field(ge=0, le=10**15)]


def _without_null(schema: dict[str, Any]) -> None:
    """What is not given is left out, in what the schema tells."""
    for name, field in schema["properties"].items():
        choices = [choice for choice in field.get("anyOf", ()) if choice != {"type": "null"}]
        if len(choices) == 1:
            rest = {key: field[key] for key in field if key not in ("anyOf", "default")}
            schema["properties"][name] = {**choices[0], **rest}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_without_null)


def _one_key(schema: dict[str, Any]) -> None:
    _without_null(schema)
    schema["minProperties"] = schema["maxProperties"] = 1
    schema["examples"] = [{"tag": {"one_of": ["new"]}}]


def _name_and_bound(schema: dict[str, Any]) -> None:
    _without_null(schema)
    schema["minProperties"] = 2


class OneCategory(_Part):
    """In one of these categories, or below one of them in the tree."""

    one_of: Annotated[tuple[CategoryPath, ...], _ONE_OF]


class OneTag(_Part):
    """Has one of these tags."""

    one_of: Annotated[tuple[Label, ...], _ONE_OF]


class OneAvailability(_Part):
    """Can be had in one of these ways."""

    one_of: Annotated[tuple[Availability, ...], _ONE_OF]


class OneText(_Part):
    """A text attribute is one of these."""

    name: Label = Field(description="Of the attribute.", examples=["brand"])
    one_of: Annotated[tuple[ShortText, ...], _ONE_OF]


class PriceRange(_Part):
    """A price in this currency and within the bounds, of which at least one is given."""

    model_config = ConfigDict(json_schema_extra=_name_and_bound)

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = Field(
        description="ISO 4217.", examples=["EUR"]
    )
    gt: _Amount | None = Field(default=None, description="Above; in the smallest unit.")
    gte: _Amount | None = Field(default=None, description="At or above.")
    lt: _Amount | None = Field(default=None, description="Below.")
    lte: _Amount | None = Field(default=None, description="At or below.", examples=[2000])

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if (self.gt, self.gte, self.lt, self.lte) == (None,) * 4:
            raise ValueError("needs at least one of gt, gte, lt, lte")
        return self


class NumberRange(_Part):
    """A numeric attribute within the bounds, of which at least one is given."""

    model_config = ConfigDict(json_schema_extra=_name_and_bound)

    name: Label = Field(description="Of the attribute.", examples=["year"])
    gt: Number | None = Field(default=None, description="Above.")
    gte: Number | None = Field(default=None, description="At or above.", examples=[2020])
    lt: Number | None = Field(default=None, description="Below.")
    lte: Number | None = Field(default=None, description="At or below.")
    eq: Number | None = Field(default=None, description="Equal to.")

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if (self.gt, self.gte, self.lt, self.lte, self.eq) == (None,) * 5:
            raise ValueError("needs at least one of gt, gte, lt, lte, eq")
        return self


_Several = Annotated[tuple["Condition", ...], Field(min_length=1, max_length=CONDITIONS)]


class Condition(_Part):
    """What an item must be: an object with exactly one of these keys.

    What an item does not have fails every condition on it, and so passes `none`.
    """

    model_config = ConfigDict(json_schema_extra=_one_key)

    all: _Several | None = Field(default=None, description="All of them hold.")
    any: _Several | None = Field(default=None, description="At least one of them holds.")
    none: _Several | None = Field(default=None, description="None of them holds.")
    category: OneCategory | None = None
    tag: OneTag | None = None
    availability: OneAvailability | None = None
    price: PriceRange | None = None
    number: NumberRange | None = None
    text: OneText | None = None

    @model_validator(mode="after")
    def _is_one_condition(self) -> Self:
        given = self.model_fields_set
        if len(given) != 1 or getattr(self, *given) is None:
            raise ValueError(f"must have exactly one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def parts(self) -> tuple["Condition", ...]:
        """The conditions that this one combines."""
        return self.all or self.any or self.none or ()

    @property
    def values(self) -> int:
        """How many texts it compares with itself."""
        one = self.category or self.tag or self.availability or self.text
        return 0 if one is None else len(one.one_of)


def _within_limits(filter: Condition) -> Condition:  # noqa: A002
    conditions = values = 0
    for depth, condition in _each(filter, 1):
        if depth > DEPTH:
            raise ValueError(f"must nest at most {DEPTH} deep")
        conditions, values = conditions + 1, values + condition.values
    if conditions > CONDITIONS:
        raise ValueError(f"must have at most {CONDITIONS} conditions in all, not {conditions}")
    if values > VALUES:
        raise ValueError(f"must have at most {VALUES} values in all, not {values}")
    return filter


def _each(condition: Condition, depth: int) -> Iterator[tuple[int, Condition]]:
    yield depth, condition
    for part in condition.parts:
        yield from _each(part, depth + 1)


Filter = Annotated[Condition, AfterValidator(_within_limits)]
"""A condition of at most 8 levels, 100 conditions and 1,000 values in all."""
