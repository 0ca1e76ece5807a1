"""Filters that cannot be used are refused with the path of the field."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from headrace.contracts.filters import Filter
from headrace.contracts.violations import check
from headrace.errors import InvalidInput
from headrace.runtime.filter_messages import filter_fields, filter_message

TAG = {"tag": {"one_of": ["new"]}}


class Asked(BaseModel):
    filter: Filter


def nested(depth: int) -> dict[str, Any]:
    condition: dict[str, Any] = TAG
    for _ in range(depth - 1):
        condition = {"none": [condition]}
    return condition


@pytest.mark.parametrize(
    ("condition", "field", "reason"),
    [
        ({}, "filter", "exactly one of"),
        ({**TAG, "all": [TAG]}, "filter", "exactly one of"),
        ({"tag": None}, "filter", "exactly one of"),
        ({"colour": {"one_of": ["red"]}}, "filter.colour", "not permitted"),
        ({"all": []}, "filter.all", "at least 1"),
        ({"all": [TAG, {"any": [{"tag": {"one_of": "new"}}]}]}, "filter.all[1].any[0].tag", ""),
        ({"tag": {"one_of": [7]}}, "filter.tag.one_of[0]", "string"),
        ({"tag": {"one_of": ["x" * 101]}}, "filter.tag.one_of[0]", "at most 100"),
        ({"number": {"name": "year", "gte": "new"}}, "filter.number.gte", "number"),
        ({"number": {"name": "year", "gte": float("nan")}}, "filter.number.gte", "finite"),
        ({"number": {"name": "year"}}, "filter.number", "at least one of"),
        ({"price": {"gte": 1}}, "filter.price.currency", "required"),
        ({"price": {"currency": "EUR", "lt": 9.5}}, "filter.price.lt", "integer"),
        ({"price": {"currency": "€", "lt": 9}}, "filter.price.currency", "pattern"),
        ({"availability": {"one_of": ["soon"]}}, "filter.availability.one_of[0]", "in_stock"),
        ({"category": {"one_of": [" > "]}}, "filter.category.one_of[0]", "step"),
        (nested(9), "filter", "8 deep"),
        ({"all": [{"any": [TAG] * 50}, {"any": [TAG] * 50}]}, "filter", "100 conditions"),
        ({"any": [{"tag": {"one_of": ["x"] * 100}}] * 11}, "filter", "1000 values"),
    ],
)
def test_a_filter_is_refused_by_name(condition: Any, field: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check(Asked, {"filter": condition})
    assert any(
        one.field.startswith(field) and reason in one.reason for one in refused.value.violations
    ), refused.value


def test_json_that_nests_without_end_is_refused() -> None:
    deep = '{"filter":' + '{"all":[' * 10_000
    with pytest.raises(ValidationError, match="recursion limit"):
        Asked.model_validate_json(deep, strict=True)


def test_the_largest_filter_is_taken() -> None:
    check(Asked, {"filter": nested(8)})
    check(Asked, {"filter": {"any": [TAG] * 99}})


def test_a_filter_is_the_same_as_a_message() -> None:
    condition = {
        "all": [
            {"none": [TAG, {"category": {"one_of": ["Home > Kitchen"]}}]},
            {"any": [{"availability": {"one_of": ["preorder"]}}]},
            {"price": {"currency": "EUR", "gte": 0, "lt": 10**15}},
            {"number": {"name": "year", "gt": 0.0, "lte": 2026.5}},
            {"number": {"name": "stars", "eq": 0.0}},
            {"text": {"name": "brand", "one_of": ["Mill", "Race"]}},
        ]
    }
    (asked,) = [check(Asked, {"filter": condition})]
    sent = filter_message(asked.filter.model_dump(exclude_none=True))
    assert check(Asked, {"filter": filter_fields(sent)}) == asked


@pytest.mark.parametrize("condition", [{"colour": {}}, {"tag": {"any": ["x"]}}, {"all": 7}])
def test_what_no_message_can_carry_is_refused_before_it_is_sent(condition: Any) -> None:
    with pytest.raises(InvalidInput, match="filter"):
        filter_message(condition)
