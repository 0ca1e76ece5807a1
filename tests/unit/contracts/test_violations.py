"""Paths and messages of violations."""

import pytest
from pydantic import BaseModel, field_validator, model_validator

from headrace.contracts.violations import check, dotted
from headrace.errors import InvalidInput


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), "body"),
        (("value",), "value"),
        (("events", 3, "value"), "events[3].value"),
        ((0, "value"), "[0].value"),
        (("a", "b", 1, 2), "a.b[1][2]"),
    ],
)
def test_a_path_reads_as_it_would_in_code(path: tuple[str | int, ...], text: str) -> None:
    assert dotted(path) == text


class Interval(BaseModel):
    first: int
    last: int
    unit: str = "day"

    @model_validator(mode="after")
    def _ordered(self) -> "Interval":
        if self.last < self.first:
            raise ValueError("last: must not lie before first")
        return self

    @field_validator("unit")
    @classmethod
    def _known(cls, unit: str) -> str:
        if unit not in {"day", "hour"}:
            raise ValueError("one of these: day, hour")
        return unit


def test_a_check_of_the_whole_names_the_field_at_fault() -> None:
    with pytest.raises(InvalidInput) as caught:
        check(Interval, {"first": 2, "last": 1}, "intervals", 0)
    assert str(caught.value) == "intervals[0].last: must not lie before first"


def test_a_check_of_a_field_may_use_colons() -> None:
    with pytest.raises(InvalidInput) as caught:
        check(Interval, {"first": 1, "last": 2, "unit": "year"})
    assert str(caught.value) == "unit: one of these: day, hour"
