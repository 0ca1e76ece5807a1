"""The options of a list in requests: every request for a list names them alike."""

from collections.abc import Mapping, MutableSequence
from typing import Any, Protocol

from headrace.api.ranker.v1 import filter_pb2, list_options_pb2
from headrace.contracts.filters import Condition
from headrace.contracts.list_kinds import ListKind, Window
from headrace.contracts.list_options import ListOptions, ListRules
from headrace.runtime.filter_messages import filter_fields, filter_message

KINDS: Mapping[ListKind, list_options_pb2.ListKind.ValueType] = {
    "for_you": list_options_pb2.LIST_KIND_FOR_YOU,
    "similar": list_options_pb2.LIST_KIND_SIMILAR,
    "trending": list_options_pb2.LIST_KIND_TRENDING,
    "new": list_options_pb2.LIST_KIND_NEW,
    "people_like_you": list_options_pb2.LIST_KIND_PEOPLE_LIKE_YOU,
}
WINDOWS: Mapping[Window, list_options_pb2.Window.ValueType] = {
    "hour": list_options_pb2.WINDOW_HOUR,
    "day": list_options_pb2.WINDOW_DAY,
    "week": list_options_pb2.WINDOW_WEEK,
}
_KIND_NAMES = {number: name for name, number in KINDS.items()}
_WINDOW_NAMES = {number: name for name, number in WINDOWS.items()}


class _Ruled(Protocol):
    kind: list_options_pb2.ListKind.ValueType
    window: list_options_pb2.Window.ValueType
    include_seen: bool
    max_per_category: int
    diversity: float
    explore: float

    @property
    def filter(self) -> filter_pb2.Filter: ...

    @property
    def items(self) -> MutableSequence[str]: ...

    @property
    def boost(self) -> MutableSequence[list_options_pb2.Boost]: ...

    @property
    def pin(self) -> MutableSequence[list_options_pb2.Pin]: ...

    def HasField(self, field_name: Any, /) -> bool: ...  # noqa: N802


class _Request(_Ruled, Protocol):
    explain: bool
    cursor: str


def option_fields(request: _Request) -> dict[str, Any]:
    """The fields of a `ListOptions`, unchecked; what is absent is left out."""
    fields = rule_fields(request)
    if request.explain:
        fields["explain"] = True
    if request.HasField("cursor"):
        fields["cursor"] = request.cursor
    return fields


def rule_fields(request: _Ruled) -> dict[str, Any]:
    """The fields of a `ListRules`, as `option_fields`."""
    fields = kind_fields(request.kind)
    if request.items:
        fields["items"] = tuple(request.items)
    if request.window:
        fields["window"] = _WINDOW_NAMES.get(request.window, str(request.window))
    if request.HasField("filter"):
        fields["filter"] = filter_fields(request.filter)
    if request.include_seen:
        fields["include_seen"] = True
    if request.boost:
        fields["boost"] = tuple(
            {"filter": filter_fields(one.filter), "factor": one.factor} for one in request.boost
        )
    if request.pin:
        fields["pin"] = tuple(
            {"item_id": one.item_id, "position": one.position} for one in request.pin
        )
    if request.max_per_category:
        fields["max_per_category"] = request.max_per_category
    if request.diversity:
        fields["diversity"] = request.diversity
    if request.explore:
        fields["explore"] = request.explore
    return fields


def kind_fields(kind: list_options_pb2.ListKind.ValueType) -> dict[str, Any]:
    """The field `kind`, where it is given. The number of an unknown one stays, for whoever checks
    to name."""
    return {"kind": _KIND_NAMES.get(kind, str(kind))} if kind else {}


def put_options(options: ListOptions, request: _Request) -> None:
    """Sets what is given in `request`."""
    put_rules(options, request)
    if options.explain:
        request.explain = True
    if options.cursor is not None:
        request.cursor = options.cursor


def put_rules(options: ListRules, request: _Ruled) -> None:
    """Sets what is given in `request`."""
    if options.kind != "for_you":
        request.kind = KINDS[options.kind]
        request.items.extend(options.items)
    if options.window is not None:
        request.window = WINDOWS[options.window]
    if options.filter is not None:
        request.filter.CopyFrom(_filter(options.filter))
    if options.include_seen:
        request.include_seen = True
    if options.arranged:
        _put_arrangement(options, request)


def _put_arrangement(options: ListRules, request: _Ruled) -> None:
    request.boost.extend(
        list_options_pb2.Boost(filter=_filter(one.filter), factor=one.factor)
        for one in options.boost
    )
    request.pin.extend(
        list_options_pb2.Pin(item_id=one.item_id, position=one.position) for one in options.pin
    )
    request.max_per_category = options.max_per_category or 0
    request.diversity = options.diversity
    request.explore = options.explore


def _filter(condition: Condition) -> filter_pb2.Filter:
    return filter_message(condition.model_dump(exclude_none=True))
