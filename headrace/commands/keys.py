"""`headrace keys`: API keys of applications, and what accounts may do."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import get_args

from headrace.client.account_models import ApiKey, Role, Scope
from headrace.client.accounts import Accounts
from headrace.errors import SettingsInvalid

_VARIABLE = "HEADRACE_API_KEY"


def main(arguments: Sequence[str]) -> int:
    """Raises: SettingsInvalid without a key; errors of the gateway as they are."""
    given = _parser().parse_args(arguments)
    key = os.environ.get(_VARIABLE)
    if not key:
        raise SettingsInvalid(f"{_VARIABLE} is not set: it must hold a key with scope `admin`")
    with Accounts(given.address, api_key=key) as accounts:
        if given.do == "create":
            made = accounts.create_key(given.name, given.scopes)
            sys.stdout.write(f"{made.key}\n")
            sys.stderr.write(f"{made.key_id}: keep the key, nobody can read it again\n")
        elif given.do == "list":
            sys.stdout.writelines(_line(one) for one in accounts.list_keys())
        elif given.do == "revoke":
            sys.stdout.write(_line(accounts.revoke_key(given.key_id)))
        else:
            account = accounts.set_role(given.email, given.role)
            sys.stdout.write(f"{account.email} is {account.role}\n")
    return 0


def _line(key: ApiKey) -> str:
    used = f"used {key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used"
    revoked = f", revoked {key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else ""
    return f"{key.key_id}  {'+'.join(key.scopes):<28}  {used}{revoked}  {key.name}\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headrace keys", description=f"{__doc__} {_VARIABLE} holds a key with scope `admin`."
    )
    parser.add_argument("--address", default="127.0.0.1:50051", help="of the gateway's gRPC door")
    what = parser.add_subparsers(dest="do", required=True)
    create = what.add_parser("create", help="make a key and print it, this once")
    create.add_argument("name", help="which application")
    create.add_argument("scopes", nargs="+", choices=get_args(Scope))
    what.add_parser("list", help="all keys, newest first")
    revoke = what.add_parser("revoke", help="refuse a key from now on")
    revoke.add_argument("key_id")
    role = what.add_parser("role", help="say what an account may do")
    role.add_argument("email")
    role.add_argument("role", choices=get_args(Role))
    return parser
