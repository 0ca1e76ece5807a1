"""What may be asked of any list, in the words of the HTTP door."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, get_args

from headrace.api.ranker.v1 import list_options_pb2
from headrace.contracts.list_kinds import ListKind, Window
from headrace.errors import InvalidInput
from headrace.runtime.filter_messages import filter_message

Filter = Mapping[str, Any]
"""An object with one key, such as {"tag": {"one_of": ["new"]}}; docs/api.md has all."""


class Boost(TypedDict):
    """Multiplies the odds of each item that passes by `factor`, 0.01 to 100."""

    filter: Filter
    factor: float


class Pin(TypedDict):
    """Shows an item at a position, from 1, whatever the rules say."""

    item_id: str
    position: int


class ListRules(TypedDict, total=False):
    """Each may be left out.

    kind: "for_you" unless said otherwise. items: to which others are to be similar, for that kind.
    window: of trending, "hour", "day" or "week"; otherwise of late, the latest counting most.
    filter: only items that pass. include_seen: also items that the person is done with.
    boost: at most 10. pin: at most 50.
    max_per_category: so many items of each category on a page.
    diversity: from 0, the best first, to 1, each as unlike those above it as there is.
    explore: the chance of each place to be drawn by odds instead of given to the best.
    """

    kind: ListKind
    items: Sequence[str]
    window: Window
    filter: Filter
    include_seen: bool
    boost: Sequence[Boost]
    pin: Sequence[Pin]
    max_per_category: int
    diversity: float
    explore: float


class ListOptions(ListRules, total=False):
    """Of one list by itself.

    explain: say why, for a person with history.
    cursor: "" for the first page, then the `next_cursor` of the page before.
    """

    explain: bool
    cursor: str


def option_arguments(options: ListRules) -> dict[str, Any]:
    """As fields of a request. Raises: InvalidInput where no message can carry them."""
    fields: dict[str, Any] = dict(options)
    if "kind" in options:
        fields["kind"] = _number(ListKind, list_options_pb2.ListKind, "LIST_KIND_", options["kind"])
    if "window" in options:
        fields["window"] = _number(Window, list_options_pb2.Window, "WINDOW_", options["window"])
    if "filter" in options:
        fields["filter"] = filter_message(options["filter"])
    try:
        fields["boost"] = [
            list_options_pb2.Boost(filter=filter_message(one["filter"]), factor=one["factor"])
            for one in options.get("boost", ())
        ]
        fields["pin"] = [list_options_pb2.Pin(**one) for one in options.get("pin", ())]
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput.of("boost or pin", f"cannot be sent: {error}") from error
    return fields


def _number(names: Any, enum: Any, prefix: str, name: str) -> int:
    """names: the literals that callers may say."""
    if name not in get_args(names):
        field = "kind" if names is ListKind else "window"
        raise InvalidInput.of(field, f"must be one of {', '.join(get_args(names))}, not {name!r}")
    return int(enum.Value(prefix + name.upper()))
