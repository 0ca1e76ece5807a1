"""Which events of a batch are new, and the numbers that they get. No I/O: the log is looked up
before and written after."""

from collections.abc import Collection, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from headrace.contracts.events import EventType
from services.event_ingest.events import Entry, Event, Key


class Verdict(Enum):
    """What becomes of a checked event."""

    NEW = "new"
    WAITS = "waits"
    REPEATED = "repeated"
    CONFLICT = "conflict"
    VAIN = "vain"
    """A retraction of what is not there to be taken back."""


@dataclass(slots=True)
class Counter:
    """How far a person's log has come."""

    epoch: int
    n: int


def judge(
    events: Sequence[Event],
    held: Mapping[Key, bytes],
    known_items: Collection[str],
    standing: Collection[Key] = (),
) -> list[Verdict]:
    """One verdict an event, in the order of the batch: of two under one key the first counts.

    held: body hashes of those that the log or the waiting room has. standing: of the log, what can
    be taken back.
    """
    hashes = dict(held)
    open_to_retraction = set(standing)
    verdicts = []
    for event in events:
        before = hashes.get(event.key)
        if before is None:
            verdict = _of_fresh(event, known_items, open_to_retraction)
            verdicts.append(verdict)
            if verdict is not Verdict.VAIN:
                hashes[event.key] = event.body_hash
        elif before == event.body_hash:
            verdicts.append(Verdict.REPEATED)
        else:
            verdicts.append(Verdict.CONFLICT)
    return verdicts


def _of_fresh(event: Event, known_items: Collection[str], standing: set[Key]) -> Verdict:
    """Brings `standing` up to date."""
    if event.target is not None:
        if event.target not in standing:
            return Verdict.VAIN
        standing.remove(event.target)
        return Verdict.NEW
    if event.item_id and event.item_id not in known_items:
        return Verdict.WAITS
    standing.add(event.key)
    return Verdict.NEW


def number(
    fresh: Sequence[tuple[Event, int]], counters: MutableMapping[str, Counter]
) -> list[Entry]:
    """Entries for events and the ordinals of their items, in that order; moves the counters.

    With a retraction an epoch begins: whoever follows the log reads it anew.
    """
    entries = []
    for event, ordinal in fresh:
        counter = counters[event.user_id]
        counter.n += 1
        counter.epoch += event.type is EventType.RETRACTION
        entries.append(
            Entry(
                user_id=event.user_id,
                epoch=counter.epoch,
                n=counter.n,
                event_id=event.event_id,
                item_ordinal=ordinal,
                type=event.type,
                value=event.value,
                occurred_at=event.occurred_at,
                accepted_at=event.accepted_at,
                backfill=event.backfill,
                body_hash=event.body_hash,
                category=event.category,
            )
        )
    return entries


def out_of_order(entries: Sequence[Entry], last: Mapping[str, datetime]) -> int:
    """How many occurred before the entry that precedes them in the same person's log.

    Looks one entry back, not at the latest of all: that is one row by primary key.

    last: when each person's last entry before these occurred; absent: they had none.
    """
    previous = dict(last)
    count = 0
    for entry in entries:
        before = previous.get(entry.user_id)
        count += before is not None and entry.occurred_at < before
        previous[entry.user_id] = entry.occurred_at
    return count
