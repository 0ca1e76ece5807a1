"""Orders of found items as messages have them and as callers name them."""

from headrace.api.catalogue.v1 import search_pb2

_PREFIX = "SORT_"
_NUMBERS = {
    name.removeprefix(_PREFIX).lower(): number for name, number in search_pb2.Sort.items() if number
}
_NAMES: dict[int, str] = {number: name for name, number in _NUMBERS.items()}


def sort_name(number: int) -> str:
    """The number itself for one that does not exist, for whoever checks to name."""
    return _NAMES.get(number, str(number))


def sort_number(name: str | None) -> search_pb2.Sort.ValueType:
    """0 where there is none."""
    return search_pb2.Sort.ValueType(_NUMBERS.get(name or "", 0))
