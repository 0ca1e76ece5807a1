"""`headrace rebuild`: all that is derived, from the log and the catalogue, while services go on."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from headrace.errors import InvalidInput
from headrace.rebuild.record import alone
from headrace.rebuild.run import Progress, Rebuild
from headrace.rebuild.steps import steps
from headrace.release.registry import Registry
from headrace.release.serving import live_version
from headrace.runtime.settings import BundleSettings, DatabaseSettings, load_settings
from headrace.store.database import Database

_SAY_S = 5.0


@dataclass(frozen=True, kw_only=True)
class RebuildSettings(DatabaseSettings, BundleSettings):
    """Read from `HEADRACE_*`."""

    trending_window_h: Annotated[float, Field(gt=0, le=10_000)] = 72.0
    """The services': counts behind what is trending are made for it, and for a week at least."""


def main(arguments: Sequence[str]) -> int:
    """Raises: InvalidInput, SettingsInvalid, BundleInvalid, FailedPrecondition, Unavailable."""
    given = _parser().parse_args(arguments)
    settings = load_settings(RebuildSettings)
    with closing(Database(settings.database_url, 1)) as database:
        version = live_version(Registry(database), settings.bundle_url)
    every = steps(version, settings.trending_window_h)
    names = [step.name for step in every]
    for name in given.only:
        if name not in names:
            raise InvalidInput.of("--only", f"{name!r} is none of {', '.join(names)}")
    chosen = [step for step in every if not given.only or step.name in given.only]
    with closing(Database(settings.database_url, 1)) as database, alone(settings.database_url):
        Rebuild(
            database, version, chosen, _Reporter(), room=given.room, patience_s=given.patience
        ).run(anew=given.anew)
    sys.stderr.write(f"everything derived of model {version} is made anew\n")
    return 0


class _Reporter:
    """A line every few seconds, and at the end of a step."""

    def __init__(self) -> None:
        self._said_at = float("-inf")

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if not progress.finished and now - self._said_at < _SAY_S:
            return
        self._said_at = now
        sys.stderr.write(f"{line(progress)}\n")
        sys.stderr.flush()


def line(progress: Progress) -> str:
    """As people read it."""
    step = progress.step
    if progress.finished:
        return f"{step.name}: done, {progress.done:,} {step.unit} in {progress.seconds:.0f} s"
    by = f" ({step.owner})" if step.owner else ""
    return (
        f"{step.name}: {progress.done:,} of {progress.total:,} {step.unit}"
        f" in {progress.seconds:.0f} s{by}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headrace rebuild",
        description=f"{__doc__} HEADRACE_DATABASE_URL names the database, HEADRACE_BUNDLE_URL the "
        "model before the first release; item_embedding and user_embedding run it. Killed, it goes "
        "on where it was.",
    )
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="STEP", help="these steps, in their order"
    )
    parser.add_argument(
        "--anew", action="store_true", help="from the start, also where one has not ended"
    )
    parser.add_argument("--room", type=int, default=20_000, help="so much at a time with a service")
    parser.add_argument(
        "--patience", type=float, default=600.0, help="seconds in which a service may do nothing"
    )
    return parser
