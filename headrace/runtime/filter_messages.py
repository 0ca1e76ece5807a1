"""Filters as messages, and as the fields of a `headrace.contracts.filters.Condition`."""

from collections.abc import Mapping
from typing import Any

from headrace.api.ranker.v1 import filter_pb2
from headrace.errors import InvalidInput

_COMBINATIONS = ("all", "any", "none")


def filter_message(fields: Mapping[str, Any]) -> filter_pb2.Filter:
    """Unchecked apart from what a message cannot carry. Raises: InvalidInput for that."""
    try:
        return _message(fields)
    except (TypeError, ValueError, AttributeError) as error:
        raise InvalidInput.of("filter", f"cannot be sent: {error}") from error


def filter_fields(message: filter_pb2.Filter) -> dict[str, Any]:
    """Unchecked; empty where nothing is set."""
    kind = message.WhichOneof("condition")
    if kind is None:
        return {}
    condition = getattr(message, kind)
    if kind in _COMBINATIONS:
        return {kind: tuple(filter_fields(part) for part in condition.filters)}
    return {
        kind: {
            field.name: value if isinstance(value, str | int | float) else tuple(value)
            for field, value in condition.ListFields()
        }
    }


def _message(fields: Mapping[str, Any]) -> filter_pb2.Filter:
    given: dict[str, Any] = {
        kind: filter_pb2.Filters(filters=[_message(part) for part in condition])
        if kind in _COMBINATIONS
        else condition
        for kind, condition in fields.items()
    }
    return filter_pb2.Filter(**given)
