"""`headrace COMMAND …`: the front door of those who train, compare and release models."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from headrace.errors import HeadraceError


class _Command(NamedTuple):
    module: str
    about: str


# Imported when asked for: evaluating a bundle must not wait for torch.
_COMMANDS = {
    "prepare": _Command("headrace.training.prepare", "raw files to clean, ordered, split ones"),
    "train": _Command("headrace.training.train", "interactions and items to a bundle"),
    "retrain": _Command(
        "headrace.commands.retrain", "a new model from Postgres, if there is reason"
    ),
    "evaluate": _Command("headrace.commands.evaluate", "a bundle's figures, as it is served"),
    "compare": _Command("headrace.commands.compare", "a bundle beside classic recommenders"),
    "batch": _Command("headrace.commands.batch", "lists for everybody, to files"),
    "backup": _Command("headrace.commands.backup", "what cannot be made anew, to a folder"),
    "restore": _Command("headrace.commands.restore", "a backup, to an empty Postgres and Kafka"),
    "rebuild": _Command("headrace.commands.rebuild", "all that is derived, from log and catalogue"),
    "bundle": _Command("headrace.commands.bundle", "what a bundle is"),
    "release": _Command("headrace.commands.release", "a model beside the live one, and the switch"),
    "erasure": _Command("headrace.commands.erasure", "whether an erased person is gone"),
    "keys": _Command("headrace.commands.keys", "API keys of applications, roles of accounts"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0, or 2 after an error that the user can mend."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("-h", "--help"):
        sys.stdout.write(_usage())
        return 0
    name, *rest = given
    if name not in _COMMANDS:
        sys.stderr.write(f"headrace: there is no command {name}\n{_usage()}")
        return 2
    run: Callable[[Sequence[str]], int] = importlib.import_module(_COMMANDS[name].module).main
    try:
        return run(rest)
    except (HeadraceError, OSError) as error:  # OSError names the file: no such one, disk full
        sys.stderr.write(f"headrace: {error}\n")
        return 2


def _usage() -> str:
    lines = "".join(f"  {name:<10} {command.about}\n" for name, command in _COMMANDS.items())
    return f"usage: headrace COMMAND …\n\n{lines}\n`headrace COMMAND --help` tells the rest.\n"


if __name__ == "__main__":
    sys.exit(main())
