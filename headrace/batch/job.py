"""A run: part after part, each whole or absent; what is there already is passed over."""

from __future__ import annotations

import json
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from headrace.batch.files import write_json, write_lists, write_text
from headrace.batch.general import GeneralLists, lists_for
from headrace.batch.items import ItemArrays, stored_items
from headrace.batch.lists import ListMaker, Lists
from headrace.batch.people import People, PeopleStore
from headrace.batch.plan import Plan, agreed, ids_in
from headrace.batch.settings import BatchSettings
from headrace.batch.topic import TopicWriter
from headrace.bundle import Bundle
from headrace.store.database import Database
from headrace.store.segment_members import members_of
from headrace.store.trend import Trend, read_trend

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Progress:
    """Parts done of those of this run, people in those that it made, and seconds since it began."""

    done: int
    parts: int
    people: int
    seconds: float


def run(settings: BatchSettings, report: Callable[[Progress], None]) -> dict[str, Any] | None:
    """Makes what is missing of this partition.

    Returns: the manifest, or None while other partitions have parts to make.
    Raises: Unavailable where Postgres is away; FailedPrecondition where the folder is of another
    model or other settings; InvalidInput; BundleInvalid; OSError where it cannot be written.
    """
    asked = None if settings.users is None else ids_in(settings.users)
    bundle = Bundle.load(settings.bundle, ["ranker"])
    with ExitStack() as stack:
        database = stack.enter_context(closing(Database(settings.database_url, 1)))
        store = PeopleStore(
            database,
            bundle.model_version,
            bundle.user_width,
            active_since=settings.active_since,
            general=settings.general,
        )
        plan = agreed(settings, bundle.model_version, store, asked, partial(members_of, database))
        place, of = settings.partition
        mine = range(place - 1, len(plan.firsts), of)
        missing = [part for part in mine if not _record(settings.out, part).exists()]
        report(Progress(len(mine) - len(missing), len(mine), people=0, seconds=0.0))
        if missing:
            items = ItemArrays(bundle, stored_items(database, bundle.model_version))
            lists = partial(
                lists_for,
                personal=ListMaker(bundle, items, n=settings.n, candidates=settings.candidates),
                general=GeneralLists(items, _trend(settings, database), n=settings.n),
            )
            topic = None
            if settings.kafka_topic:
                writer = TopicWriter(settings.kafka, settings.kafka_topic)
                topic = stack.enter_context(closing(writer))
            named = asked if plan.segment is None else plan.members
            source = _Source(store, plan, named)
            maker = _Maker(settings.out, plan, items, lists, source, topic=topic)
            began, people = time.monotonic(), 0
            for done, part in enumerate(missing, start=1 + len(mine) - len(missing)):
                people += maker.make(part)
                report(Progress(done, len(mine), people, time.monotonic() - began))
    return finished(settings.out, plan)


def _trend(settings: BatchSettings, database: Database) -> Trend:
    trend = settings.trend
    return read_trend(database, trend.trending_half_life_h * 3_600, trend.trending_window_h * 3_600)


class _Source:
    """Who is in each part."""

    def __init__(self, store: PeopleStore, plan: Plan, asked: Sequence[str] | None) -> None:
        self._store = store
        self._firsts = plan.firsts
        self._asked = asked

    def people(self, part: int) -> tuple[People, list[str]]:
        """And ids of whom nothing is known."""
        first, *later = self._firsts[part : part + 2]
        end = later[0] if later else None
        if self._asked is None:
            return self._store.between(first, end), []
        stop = len(self._asked) if end is None else bisect_left(self._asked, end)
        named = self._asked[bisect_left(self._asked, first) : stop]
        return self._store.named(named)


class _Maker:
    """Makes parts from one state of the catalogue."""

    def __init__(
        self,
        out: Path,
        plan: Plan,
        items: ItemArrays,
        lists: Callable[[People], Lists],
        source: _Source,
        *,
        topic: TopicWriter | None,
    ) -> None:
        """topic: where lists go instead of to files."""
        self._topic = topic
        self._out = out
        self._plan = plan
        self._items = items
        self._lists = lists
        self._source = source
        self._as_of = datetime.now(UTC)

    def make(self, part: int) -> int:
        """Returns: the number of people in it."""
        people, unknown = self._source.people(part)
        lists = self._lists(people)
        name = self._plan.name(part)
        if self._topic is not None:
            rows, digest = self._topic.write(people, lists, self._items, self._as_of)
        else:
            rows, digest = write_lists(self._out / name, people, lists, self._items)
        if unknown:
            write_text(self._out / f"part-{part:05d}.unknown.txt", "\n".join(unknown) + "\n")
        record = {
            "file": name,
            "as_of": self._as_of.isoformat(),
            "people": len(people),
            "not_personal": int((people.n == 0).sum()),
            "unknown": len(unknown),
            "rows": rows,
            "sha256": digest,
        }
        write_json(_record(self._out, part), record)  # last: it says that the others are whole
        return len(people)


def finished(out: Path, plan: Plan) -> dict[str, Any] | None:
    """Writes the manifest once every part is there; returns it, or None until then."""
    records = [_record(out, part) for part in range(len(plan.firsts))]
    if not all(path.exists() for path in records):
        return None
    parts = [json.loads(path.read_text(encoding="utf-8")) for path in records]
    manifest = {
        "model_version": plan.model_version,
        # Each part tells its own: what a run read before it was killed stays.
        "as_of": min((part["as_of"] for part in parts), default=datetime.now(UTC).isoformat()),
        "format": plan.format,
        "segment": plan.segment,
        "n": plan.n,
        "candidates": plan.candidates,
        "people": sum(part["people"] for part in parts),
        "not_personal": sum(part["not_personal"] for part in parts),
        "unknown": sum(part["unknown"] for part in parts),
        "rows": sum(part["rows"] for part in parts),
        "parts": parts,
    }
    write_json(out / MANIFEST, manifest)
    for left in out.glob(".part-*"):  # half a file of a run that was killed
        left.unlink(missing_ok=True)
    return manifest


def _record(out: Path, part: int) -> Path:
    return out / f"part-{part:05d}.json"
