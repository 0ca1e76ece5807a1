"""The table of every call in docs/api.md."""

import re
from dataclasses import dataclass
from pathlib import Path

_MANUAL = Path(__file__).parents[1] / "docs" / "api.md"
_ROW = re.compile(r"^\| `((?:GET|POST|PUT|DELETE) /\S*)` \| `(\w+\.\w+)` \| (.+) \|$", re.MULTILINE)
_OPERATIONS = re.compile(r"`(GET /\w+)`")


@dataclass(frozen=True)
class Row:
    """A call. http: `GET /v1/me`. rpc: `AccountService.GetOwnAccount`. python: `Accounts.…`."""

    http: str
    rpc: str
    python: tuple[str, ...]


def calls() -> list[Row]:
    """Each that the table has."""
    return [
        Row(http, rpc, tuple(re.findall(r"`(\w+\.\w+)`", python)))
        for http, rpc, python in _ROW.findall(_section())
    ]


def for_operators() -> set[str]:
    """What is named beside the table: calls that have no RPC of their own."""
    return set(_OPERATIONS.findall(_ROW.sub("", _section())))


def _section() -> str:
    return _MANUAL.read_text(encoding="utf-8").partition("\n## Every call\n")[2]
