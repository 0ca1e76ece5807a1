"""A filter as a condition on rows of `item_search`, called `s`: text for Postgres and its values.

An item that lacks what a condition is about fails it, and so passes `none`: null counts as false.
"""

from collections.abc import Sequence
from typing import Any

from headrace.contracts.filters import Condition, NumberRange, PriceRange

Sql = tuple[str, list[Any]]

_OPERATORS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "eq": "="}
_NUMBER = "(s.numbers ->> %s)::double precision"


def condition_sql(condition: Condition) -> Sql:
    if condition.all:
        return _joined(" AND ", condition.all)
    if condition.any:
        return _joined(" OR ", condition.any)
    if condition.none:
        text, values = _joined(" OR ", condition.none)
        return f"NOT {text}", values
    if condition.price:
        text, values = _bounds(condition.price, "s.price_amount", [])
        return f"coalesce(s.price_currency = %s AND {text}, false)", [
            condition.price.currency,
            *values,
        ]
    if condition.number:
        text, values = _bounds(condition.number, _NUMBER, [condition.number.name])
        return f"coalesce({text}, false)", values
    return "s.terms && %s", [_terms(condition)]


def text_term(name: str, value: str) -> str:
    """How `item_search.terms` has a text attribute."""
    return f"a{len(name)}:{name}={value}"


def _terms(condition: Condition) -> list[str]:
    if condition.category:
        return [f"c:{path}" for path in condition.category.one_of]
    if condition.tag:
        return [f"t:{tag}" for tag in condition.tag.one_of]
    if condition.availability:
        return [f"v:{one}" for one in condition.availability.one_of]
    assert condition.text is not None  # exactly one key is set
    return [text_term(condition.text.name, value) for value in condition.text.one_of]


def _joined(word: str, conditions: Sequence[Condition]) -> Sql:
    parts = [condition_sql(condition) for condition in conditions]
    return f"({word.join(text for text, _ in parts)})", [v for _, values in parts for v in values]


def _bounds(bounds: PriceRange | NumberRange, column: str, names: list[str]) -> Sql:
    """names: the values that `column` itself takes."""
    given = [
        (operator, value)
        for field, operator in _OPERATORS.items()
        if (value := getattr(bounds, field, None)) is not None
    ]
    text = " AND ".join(f"{column} {operator} %s" for operator, _ in given)
    return text, [value for _, bound in given for value in (*names, bound)]
