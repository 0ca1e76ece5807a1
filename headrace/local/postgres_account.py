"""Which account Postgres runs as. It refuses root, so root lends it one."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from headrace.local.errors import StartFailed

_LENT = "pgserver"
_TRAVERSE = 0o001


def account() -> str | None:
    """None: our own. Under root: an account without rights, created if absent."""
    if os.geteuid() != 0:
        return None
    if not _exists(_LENT):
        made = subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", _LENT],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
        # Another process may have made it in between.
        if made.returncode != 0 and not _exists(_LENT):
            raise StartFailed(
                f"Postgres does not run as root, and an account for it ({_LENT}) could not be "
                f"made: {made.stderr.strip()}. Run as another user, or make that account."
            )
    return _LENT


def give_to(name: str | None, paths: Sequence[Path], reachable: Path) -> None:
    """Make `paths` the account's own, readable by it alone, and let it reach `reachable` too.

    Folders above get the right to pass through them, not to list them. Nothing happens where
    the account is our own.
    """
    if name is None:
        return
    for path in paths:
        shutil.chown(path, user=name, group=pwd.getpwnam(name).pw_gid)
        path.chmod(0o700 if path.is_dir() else 0o600)
    for path in (*paths, reachable):
        for above in path.resolve().parents:
            mode = above.stat().st_mode
            if not mode & _TRAVERSE:
                above.chmod(mode | _TRAVERSE)


class Identity(TypedDict, total=False):
    """What `subprocess.run` takes to become somebody else."""

    user: int
    group: int
    extra_groups: Sequence[int]


def as_account(name: str | None) -> Identity:
    """Arguments for `subprocess.run`; empty where the account is our own."""
    if name is None:
        return {}
    entry = pwd.getpwnam(name)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
