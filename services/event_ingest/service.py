"""What becomes of an event: stored and numbered once, kept until its item comes, or refused."""

import logging
import time
from collections import Counter as Tally
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from headrace.contracts.events import EventType
from headrace.errors import InvalidInput, Unavailable
from headrace.store.erased_people import Erased
from services.event_ingest import metrics
from services.event_ingest.events import Entry, Event, GivenEvent
from services.event_ingest.log import EventLog, LogTransaction
from services.event_ingest.numbering import Counter, Verdict, judge, number, out_of_order
from services.event_ingest.validation import checked, is_named, type_name

log = logging.getLogger(__name__)

INVALID = "invalid_event"
CONFLICT = "event_id_conflict"
NOTHING_TO_RETRACT = "nothing_to_retract"

_NO_ITEM = 0
# What they refuse is a rule for their lists, and they may take back what was kept before.
_KEPT_OF_EVERYBODY = (EventType.RETRACTION, EventType.NOT_INTERESTED)

_RELEASED_USERS = 500  # people in one releasing transaction: bounds how long counters are held
_REFUSED_KEPT_DAYS = 14  # as long as the dead letters
_LONGEST_WINDOW_H = 7 * 24.0  # of lists of what is trending: hour, day, week
_FORGOTTEN_COUNTS = 10_000  # in one transaction: bounds how long their rows are held


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one event. `entry` is where it stands in the log, if it has a number."""

    kind: Literal["stored", "repeated", "waiting", "refused", "opted_out", "erased"]
    entry: Entry | None = None
    reason: str = ""
    detail: str = ""


class EventIngest:
    """Decides over batches of events. Safe to use from several threads and processes at once."""

    def __init__(self, event_log: EventLog) -> None:
        self._log = event_log

    def ingest(self, given: Sequence[GivenEvent]) -> list[Outcome]:
        """Stores a batch in one transaction; the same batch again has no further effect.

        Returns: one outcome an event, in order.
        Raises: Unavailable while Postgres is away; then nothing was stored.
        """
        outcomes, events = _check_all(given)
        with self._log.transaction() as transaction:
            erased = _drop_what_is_not_kept(transaction, given, outcomes, events)
            decided, retracted, late = self._decide(transaction, list(events.values()), erased)
            outcomes.update(zip(events, decided, strict=True))
            reasons = {
                (given[at].user_id, given[at].event_id): outcome.reason
                for at, outcome in outcomes.items()
                if outcome.kind == "refused" and is_named(given[at])
            }
            if reasons:
                transaction.refuse(reasons)
            stored = [o.entry for o in decided if o.kind == "stored" and o.entry]
            transaction.count_minutes(stored, retracted)
        result = [outcomes[at] for at in range(len(given))]
        metrics.OUT_OF_ORDER.inc(late)
        _count(given, result)
        return result

    def release(self, item_ids: Collection[str] | None = None) -> Iterator[list[Entry]]:
        """Numbers and stores waiting events whose item has arrived.

        item_ids: look at these items only; None: at all.
        Returns: the entries of one transaction at a time, committed when they are handed out.
        Raises: Unavailable while Postgres is away; what was handed out stays stored.
        """
        while True:
            with self._log.transaction() as transaction:
                users = transaction.users_to_release(item_ids, _RELEASED_USERS)
                if not users:
                    return
                counters = transaction.lock_known(users)
                entries, late = _append(transaction, transaction.take_waiting(counters), counters)
                transaction.count_minutes(entries)
            metrics.OUT_OF_ORDER.inc(late)
            for kind, events in Tally(entry.type for entry in entries).items():
                metrics.EVENTS.labels(type_name(kind), "released").inc(events)
            log.info("waiting events released", extra={"events": len(entries)})
            yield entries

    def count_waiting(self) -> None:
        """Brings the gauge of waiting events up to date. Raises: Unavailable."""
        with self._log.transaction() as transaction:
            metrics.WAITING.set(transaction.count_waiting())

    def forget_refused(self) -> None:
        """Forgets refusals whose dead letters are gone too. Raises: Unavailable."""
        with self._log.transaction() as transaction:
            count = transaction.forget_refused(_REFUSED_KEPT_DAYS)
        log.info("old refusals forgotten", extra={"events": count})

    def forget_counts(self, trending_window_h: float) -> None:
        """Forgets minutes that no list of what is trending looks back to. Raises: Unavailable.

        trending_window_h: how far the ranker looks back where no window is asked for.
        """
        keep_h = max(trending_window_h, _LONGEST_WINDOW_H)
        total, count = 0, _FORGOTTEN_COUNTS
        while count == _FORGOTTEN_COUNTS:
            with self._log.transaction() as transaction:
                count = transaction.forget_counts(keep_h, _FORGOTTEN_COUNTS)
            total += count
        log.info("old counts forgotten", extra={"minutes": total})

    def _decide(
        self,
        transaction: LogTransaction,
        events: Sequence[Event],
        erased: Mapping[str, Erased],
    ) -> tuple[list[Outcome], list[Entry], int]:
        """Outcomes of checked events, the entries that they take back, and how many of them were
        out of order.

        erased: who of their people was, before their logs were locked.
        """
        if not events:
            return [], [], 0
        users = {event.user_id for event in events}
        counters = transaction.lock(users)
        now_erased = transaction.erased(users)
        if any(mark != erased.get(user) for user, mark in now_erased.items()):
            raise Unavailable("somebody was erased at this moment; the batch comes again")
        keys = {event.key for event in events}
        targets = {event.target for event in events if event.target is not None}
        entries = transaction.entries(keys | targets, counters)
        held = {key: entry.body_hash for key, entry in entries.items()} | transaction.waiting(keys)
        ordinals = transaction.ordinals({event.item_id for event in events})
        standing = {key for key, entry in entries.items() if entry.stands}
        verdicts = judge(events, held, ordinals, standing)
        judged = list(zip(events, verdicts, strict=True))

        waiting = [event for event, verdict in judged if verdict is Verdict.WAITS]
        if waiting:
            transaction.put_waiting(waiting)
        new = [event for event, verdict in judged if verdict is Verdict.NEW]
        fresh = [(event, ordinals.get(event.item_id, _NO_ITEM)) for event in new]
        appended, late = _append(transaction, fresh, counters)
        entries.update(((entry.user_id, entry.event_id), entry) for entry in appended)
        taken_back = [(entries[e.target], entries[e.key]) for e in new if e.target is not None]
        if taken_back:
            transaction.retract(taken_back)
        outcomes = [_outcome(verdict, entries.get(event.key)) for event, verdict in judged]
        return outcomes, [target for target, _ in taken_back], late


def _append(
    transaction: LogTransaction, fresh: Sequence[tuple[Event, int]], counters: dict[str, Counter]
) -> tuple[list[Entry], int]:
    """Numbers and inserts events, with the ordinals of their items, whose counters are held.

    Returns: the entries, and how many of them are out of order.
    """
    if not fresh:
        return [], 0
    last = transaction.last_occurred({event.user_id: counters[event.user_id] for event, _ in fresh})
    entries = number(fresh, counters)
    transaction.append(entries)
    return entries, out_of_order(entries, last)


def _check_all(given: Sequence[GivenEvent]) -> tuple[dict[int, Outcome], dict[int, Event]]:
    """By position in the batch: outcomes of those refused at once, and the events that passed."""
    refused: dict[int, Outcome] = {}
    events: dict[int, Event] = {}
    for at, one in enumerate(given):
        try:
            events[at] = checked(one)
        except InvalidInput as error:
            refused[at] = Outcome("refused", reason=INVALID, detail=str(error))
    return refused, events


def _drop_what_is_not_kept(
    transaction: LogTransaction,
    given: Sequence[GivenEvent],
    outcomes: dict[int, Outcome],
    events: dict[int, Event],
) -> Mapping[str, Erased]:
    """Leaves nothing, no refusal either, of what people did before they were erased, nor of people
    who do not want that what they do is kept, but what these refuse and take back.

    Returns: who was erased.
    """
    named = {at: one.user_id for at, one in enumerate(given) if at in events or is_named(one)}
    if not named:
        return {}
    users = set(named.values())
    opted_out, erased = transaction.opted_out(users), transaction.erased(users)
    for at, user in named.items():
        if user in erased and _is_older(given[at], erased[user]):
            events.pop(at, None)
            outcomes[at] = Outcome("erased")
        elif user in opted_out and given[at].type not in _KEPT_OF_EVERYBODY:
            events.pop(at, None)
            outcomes[at] = Outcome("opted_out")
    return erased


def _is_older(event: GivenEvent, erased: Erased) -> bool:
    moment = event.accepted_at or event.written_at
    return moment is None or moment <= erased.at


def _outcome(verdict: Verdict, entry: Entry | None) -> Outcome:
    match verdict:
        case Verdict.NEW:
            return Outcome("stored", entry)
        case Verdict.REPEATED:
            return Outcome("repeated", entry)
        case Verdict.WAITS:
            return Outcome("waiting")
        case Verdict.CONFLICT:
            return Outcome(
                "refused",
                reason=CONFLICT,
                detail="event_id: this person has another event under it; choose a new one",
            )
        case Verdict.VAIN:
            return Outcome(
                "refused",
                reason=NOTHING_TO_RETRACT,
                detail="retracts: this person's log has no such event, or it was taken back",
            )


def _count(given: Sequence[GivenEvent], outcomes: Sequence[Outcome]) -> None:
    now = time.time()
    tally = Tally((one.type, outcome.kind) for one, outcome in zip(given, outcomes, strict=True))
    for (kind, outcome_kind), events in tally.items():
        metrics.EVENTS.labels(type_name(kind), outcome_kind).inc(events)
    for one, outcome in zip(given, outcomes, strict=True):
        if outcome.kind == "stored" and one.accepted_at is not None and not one.backfill:
            metrics.INGEST_SECONDS.observe(max(0.0, now - one.accepted_at.timestamp()))
