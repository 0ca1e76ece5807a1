"""`headrace release`: proposes a model, shows it to some, to all, and takes it back."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from headrace.commands.release_arguments import parser
from headrace.errors import FailedPrecondition
from headrace.release import readiness
from headrace.release.evidence import read_acts, read_served
from headrace.release.examination import FIGURE, Examined, examine, objections
from headrace.release.leftovers import delete_rows, given_up
from headrace.release.live import live_model
from headrace.release.outcomes import compare
from headrace.release.registry import Registry
from headrace.release.report import lines
from headrace.release.stages import FIRST_SLOT, Release
from headrace.retraining.record import Trainings
from headrace.runtime.kafka_client import Kafka
from headrace.runtime.settings import DatabaseSettings, KafkaSettings, load_settings
from headrace.runtime.topics import create_topics, delete_model_topics
from headrace.store.database import Database

_POLL_S = 1.0


@dataclass(frozen=True, kw_only=True)
class ReleaseSettings(DatabaseSettings):
    """Read from `HEADRACE_*`."""


@dataclass(frozen=True, kw_only=True)
class TopicSettings(ReleaseSettings, KafkaSettings):
    """Reporting reads what was shown; cleaning deletes topics."""


@dataclass(frozen=True, kw_only=True)
class ProposeSettings(TopicSettings):
    """Proposing makes the model's topics."""

    topic_partitions: Annotated[int, Field(ge=1, le=10_000)] = 4
    """As those of the live model's topics."""
    topic_replication: Annotated[int, Field(ge=1, le=9)] = 1


def main(arguments: Sequence[str]) -> int:
    """Raises: FailedPrecondition, BundleInvalid, SettingsInvalid, Unavailable."""
    given = parser(__doc__).parse_args(arguments)
    settings = load_settings(_SETTINGS.get(given.do, ReleaseSettings))
    with closing(Database(settings.database_url, 1)) as database:
        registry = Registry(database)
        if isinstance(settings, ProposeSettings):
            done = _propose(registry, settings, given)
        elif isinstance(settings, TopicSettings):
            kafka = settings.kafka()
            report = given.do == "report"
            done = (_report if report else _clean)(registry, database, kafka, given)
        elif given.do == "status":
            done = _status(registry, Trainings(database), given)
        else:
            done = _DO[given.do](registry, given)
    sys.stdout.writelines(f"{line}\n" for line in done)
    return 0


def _propose(
    registry: Registry, settings: ProposeSettings, given: argparse.Namespace
) -> Iterator[str]:
    candidate = examine(given.bundle)
    running = live_model(registry.active(), registry.running())
    live = examine(running.bundle_url)
    if given.prepared is not None:
        # What the live model may have seen counts in its favour; the candidate must not have.
        live = _measured(live, given.prepared, may_know_test=True)
        candidate = _measured(candidate, given.prepared, may_know_test=False)
        yield from (_figures(one) for one in (live, candidate))
    against = objections(candidate, live)
    if against and not given.force:
        raise FailedPrecondition(
            f"{candidate.model_version} is not proposed: {'; '.join(against)}. "
            "`--force` proposes it all the same"
        )
    yield from (f"in spite of: {objection}" for objection in against)
    create_topics(
        settings.kafka(),
        candidate.model_version,
        settings.topic_partitions,
        settings.topic_replication,
    )
    release = registry.propose(candidate, running)
    yield f"{_named(release)}; start slot {release.slot} if it does not run"


def _shadow(registry: Registry, given: argparse.Namespace) -> Iterator[str]:
    yield _named(registry.shadow(given.share))


def _canary(registry: Registry, given: argparse.Namespace) -> Iterator[str]:
    _require_ready(registry, given)
    yield _named(registry.canary(given.share))


def _promote(registry: Registry, given: argparse.Namespace) -> Iterator[str]:
    _require_ready(registry, given)
    promoted = registry.promote()
    yield f"{_named(promoted)}; `headrace release rollback` takes it back until `retire`"


def _roll_back(registry: Registry, given: argparse.Namespace) -> Iterator[str]:
    yield _named(registry.roll_back(given.reason))
    live = registry.active().live
    if live is not None:
        yield _named(live)


def _retire(registry: Registry, given: argparse.Namespace) -> Iterator[str]:
    retired = registry.retire()
    yield f"{_named(retired)}; slot {retired.slot} may be stopped"


def _status(registry: Registry, trainings: Trainings, given: argparse.Namespace) -> Iterator[str]:
    history = registry.history(given.last)
    if not history:
        yield f"nothing was released: slot {FIRST_SLOT} serves the bundle of its settings"
    for release in history:
        reason = f"  {release.reason}" if release.reason else ""
        yield f"{release.stage_since:%Y-%m-%d %H:%M}  {_named(release)}{reason}"
    yield from (one.line() for one in trainings.newest())
    running = registry.running()
    for one in running:
        state = "ready" if one.ready else "not ready"
        if one.service != readiness.GATEWAY:
            yield f"  {one.slot:<5}  {one.service:<14}  {one.model_version}  {state}  {one.process}"
    candidate = registry.active().candidate
    if candidate is not None:
        missing = readiness.missing(candidate, running, registry.progress(candidate.model_version))
        yield "may be promoted" if not missing else f"to come: {'; '.join(missing)}"


def _report(
    registry: Registry, database: Database, kafka: Kafka, given: argparse.Namespace
) -> Iterator[str]:
    canary = registry.last_canary()
    since, until = canary.since, canary.until
    yield (
        f"{canary.model_version} for {canary.share:.2%} of people, "
        f"{since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M}"
    )
    served = read_served(kafka, since, until, given.sample)
    acts = read_acts(database, since, until, given.sample)
    yield from lines(compare(served, acts, canary.salt, canary.share), canary.share)


def _clean(
    registry: Registry, database: Database, kafka: Kafka, given: argparse.Namespace
) -> Iterator[str]:
    for version in given_up(database):
        topics = delete_model_topics(kafka, version)
        rows = dict(delete_rows(database, version))
        if topics or any(rows.values()):
            said = ", ".join(f"{n:,} of {table}" for table, n in rows.items())
            yield f"{version}: deleted {said}, {len(topics)} topics"


_SETTINGS: dict[str, type[ReleaseSettings]] = {
    "propose": ProposeSettings,
    "report": TopicSettings,
    "clean": TopicSettings,
}
_DO: dict[str, Callable[[Registry, argparse.Namespace], Iterator[str]]] = {
    "shadow": _shadow,
    "canary": _canary,
    "promote": _promote,
    "rollback": _roll_back,
    "retire": _retire,
}


def _require_ready(registry: Registry, given: argparse.Namespace) -> None:
    """Raises: FailedPrecondition where something is missing when the wait is over."""
    deadline = time.monotonic() + given.wait
    while not given.force:
        candidate = registry.active().candidate
        if candidate is None:
            return  # the registry says so in its own words
        progress = registry.progress(candidate.model_version)
        missing = readiness.missing(candidate, registry.running(), progress)
        if not missing:
            return
        if time.monotonic() >= deadline:
            raise FailedPrecondition(
                f"{candidate.model_version} is not ready: {'; '.join(missing)}. "
                "`--wait SECONDS` waits for it"
            )
        time.sleep(_POLL_S)


def _measured(examined: Examined, prepared: Path, *, may_know_test: bool) -> Examined:
    """With figures of the test part of that folder, measured now as it is served.

    Raises: DataInvalid; unless `may_know_test`, FailedPrecondition where the bundle may have been
        trained on that part.
    """
    # Imported here: nothing else of this command needs what training needs.
    from headrace.bundle import Bundle  # noqa: PLC0415
    from headrace.commands.evaluate import prepared_data  # noqa: PLC0415
    from headrace.evaluation.evaluate import evaluate  # noqa: PLC0415

    log, parts = prepared_data(prepared)
    found = evaluate(
        Bundle.load(examined.bundle_url), log, parts=parts, may_know_test=may_know_test
    )
    values = found.served["test"].values[FIGURE]
    figures = {"test": float(values.mean())}
    return replace(examined, figures=figures, split_sha256=parts.digest)


def _figures(examined: Examined) -> str:
    return f"{examined.model_version}: test {FIGURE} {examined.figures['test']:.4f}"


def _named(release: Release) -> str:
    whose = {"canary": "people", "shadow": "requests"}.get(release.stage)
    share = "" if whose is None else f" for {release.share:.2%} of {whose}"
    return f"{release.model_version} is {release.stage}{share} in slot {release.slot}"
