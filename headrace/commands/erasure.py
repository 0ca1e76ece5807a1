"""`headrace erasure`: whether a person who was erased is gone."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from headrace.client.privacy import Privacy
from headrace.client.privacy_models import ErasedPlace, ErasureReceipt
from headrace.errors import InvalidInput


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status: 0, or 1 where something is found that should be gone.

    Raises: InvalidInput where the file is no receipt; errors of the gateway as they are.
    """
    given = _parser().parse_args(arguments)
    with Privacy(given.address) as privacy:
        if given.do == "show":
            erasure = privacy.erasure(given.erasure_id)
            _write(erasure.places)
            done = erasure.completed_at
            sys.stdout.write(f"completed {done:%Y-%m-%d %H:%M:%S}\n" if done else "under way\n")
            return 0
        found = privacy.check_erasure(_receipt(given.receipt))
    _write(found.places)
    if found.begun_anew:
        sys.stdout.write("somebody came under the same id since; what is found may be theirs\n")
    sys.stdout.write("nothing is left\n" if found.clean else "something is left: see `found`\n")
    return 0 if found.clean else 1


def _write(places: Iterable[ErasedPlace]) -> None:
    for one in places:
        until = f"gone by {one.gone_by:%Y-%m-%d %H:%M}" if one.gone_by else ""
        sys.stdout.write(f"{one.place:<36} {one.state:<10} {one.removed:>8}  {until}\n")


def _receipt(path: Path) -> ErasureReceipt:
    """The receipt as `DELETE /v1/users/…` answered it."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return ErasureReceipt(
            told["erasure_id"],
            told["user_id"],
            tuple(told["visits"]),
            datetime.fromisoformat(told["requested_at"]),
            told["code"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput.of(str(path), f"is no receipt of an erasure: {error!r}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="headrace erasure", description=__doc__)
    what = parser.add_subparsers(dest="do", required=True)
    check = what.add_parser("check", help="look again into every table, topic and memory")
    check.add_argument("receipt", type=Path, help="the file that holds the receipt")
    show = what.add_parser("show", help="how far an erasure is")
    show.add_argument("erasure_id")
    for one in (check, show):
        one.add_argument("--address", default="127.0.0.1:50051", help="of the gateway's gRPC door")
    return parser
