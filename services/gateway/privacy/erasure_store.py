"""Erasures in Postgres: beginning one empties the tables, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from headrace.store.database import Database
from headrace.store.erased_people import digest_of, erased_among
from headrace.store.forgetting import LIVES_S
from services.gateway.accounts.session_store import end_sessions
from services.gateway.accounts.visits import VISITOR_PREFIX
from services.gateway.privacy.exports import visits_of
from services.gateway.privacy.receipts import Receipt, new_receipt
from services.gateway.privacy.tables import TABLES
from services.gateway.tokens import ACCESS_S, VISIT_S

State = Literal["gone", "forgotten", "expires", "found"]
"""gone: nothing is left. forgotten: nobody reads it any more, the last bytes go by a time. expires:
it goes by age, by a time. found: it is there, and should not."""

# A process that has just started says so within a second, and one that forgets, twice.
_MEMORIES_S = 3.0
# Nothing older than an erasure can come after it later than this: dead letters are kept so long.
_REMEMBERED_DAYS = 15
_DONE_KEPT_H = 1


@dataclass(frozen=True, slots=True)
class Place:
    """What became of a place where a person's data lay. removed: things, rows or records."""

    place: str
    state: State
    removed: int
    gone_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """An erasure that is to be worked on. people: the person and their visits."""

    erasure_id: str
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Erasure:
    """completed_at: None while it goes on."""

    erasure_id: str
    requested_at: datetime
    completed_at: datetime | None
    places: tuple[Place, ...]


class ErasureStore:
    """Every method raises Unavailable while Postgres is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, user_id: str) -> tuple[Receipt, list[str]]:
        """Empties every table of the person and their visits, ends their sessions, and refuses
        their past from now on. Returns: the receipt, and the sessions that were ended.
        """
        with self._database.transaction() as cursor:
            # Nobody claims a visit for the account meanwhile, nor appends to the logs.
            cursor.execute("SELECT FROM accounts WHERE user_id = %s FOR UPDATE", (user_id,))
            visits = visits_of(cursor, user_id)
            people = sorted({user_id, *visits})
            epochs, made = _locked_epochs(cursor, people)
            cursor.execute("SELECT now()")
            receipt = new_receipt(user_id, visits, _only(cursor))
            ended = _end_sessions(cursor, user_id)
            counts = _empty_tables(cursor, people)
            counts["user_counters"] -= made
            _refuse_past(cursor, people, epochs)
            cursor.execute(
                "INSERT INTO forgettings (people) VALUES (%s) RETURNING forgetting_id", (people,)
            )
            cursor.execute(
                "INSERT INTO erasures (erasure_id, requested_at, receipt, people, forgetting_id)"
                " VALUES (%s, %s, %s, %s, %s)",
                (
                    receipt.erasure_id,
                    receipt.requested_at,
                    receipt.digest(),
                    people,
                    _only(cursor),
                ),
            )
            _report(cursor, receipt.erasure_id, _places(cursor, people, counts))
        return receipt, [*ended, *visits]

    def receipt_digest(self, erasure_id: str) -> bytes | None:
        with self._database.transaction() as cursor:
            cursor.execute("SELECT receipt FROM erasures WHERE erasure_id = %s", (erasure_id,))
            row = cursor.fetchone()
        return None if row is None else bytes(row[0])

    def get(self, erasure_id: str) -> Erasure | None:
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT requested_at, completed_at FROM erasures WHERE erasure_id = %s",
                (erasure_id,),
            )
            row = cursor.fetchone()
            cursor.execute(
                "SELECT place, state, removed, gone_by FROM erasure_reports WHERE erasure_id = %s"
                " ORDER BY place",
                (erasure_id,),
            )
            places = tuple(Place(*one) for one in cursor.fetchall())
        return None if row is None else Erasure(erasure_id, row[0], row[1], places)

    def take(self, seconds: float) -> Open | None:
        """The oldest open erasure that every memory has dealt with and nobody works on, for so
        long."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "UPDATE erasures SET taken_until = now() + make_interval(secs => %(seconds)s)"
                " WHERE erasure_id = (SELECT erasure_id FROM erasures e"
                "  JOIN forgettings f USING (forgetting_id)"
                "  WHERE e.completed_at IS NULL AND taken_until < now() AND f.done_at IS NOT NULL"
                "  ORDER BY e.requested_at LIMIT 1 FOR UPDATE OF e SKIP LOCKED)"
                " RETURNING erasure_id, people",
                {"seconds": seconds},
            )
            row = cursor.fetchone()
        return None if row is None else Open(row[0], tuple(row[1]))

    def release(self, erasure: Open, seconds: float) -> None:
        """Lets it be taken again, after so long."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "UPDATE erasures SET taken_until = now() + make_interval(secs => %s)"
                " WHERE erasure_id = %s",
                (seconds, erasure.erasure_id),
            )

    def complete(self, erasure: Open, places: Iterable[Place]) -> None:
        """Takes away states that came meanwhile from before, notes what became of the places, and
        forgets whom it was about."""
        people = list(erasure.people)
        with self._database.transaction() as cursor:
            cursor.execute(_LATE_STATES, (people,))
            late = cursor.rowcount
            cursor.execute(
                "UPDATE erasure_reports SET removed = removed + %s"
                " WHERE erasure_id = %s AND place = 'postgres/user_states'",
                (late, erasure.erasure_id),
            )
            _report(cursor, erasure.erasure_id, [*places, *_memories(cursor, erasure.erasure_id)])
            cursor.execute(
                "UPDATE erasures SET completed_at = now(), people = '{}' WHERE erasure_id = %s",
                (erasure.erasure_id,),
            )

    def begin_forgetting(self, people: Sequence[str]) -> int:
        """Asks every memory to forget these people. Returns: the number to ask for the outcome."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "INSERT INTO forgettings (people) VALUES (%s) RETURNING forgetting_id",
                (list(people),),
            )
            return int(_only(cursor))

    def forgotten(self, forgetting_id: int) -> Mapping[str, int] | None:
        """What each process had in memory, by its kind; None: not all have answered."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT done_at IS NOT NULL FROM forgettings WHERE forgetting_id = %s",
                (forgetting_id,),
            )
            if cursor.fetchone() != (True,):
                return None
            return _forgotten(cursor, forgetting_id)

    def close_forgettings(self) -> None:
        """Those that every living process has answered are done, and hold no ids any more. What
        is done and was looked at is taken away after a while, and so is who was erased long ago.
        """
        with self._database.transaction() as cursor:
            cursor.execute(
                "UPDATE forgettings f SET done_at = now(), people = '{}'"
                " WHERE done_at IS NULL AND begun_at < now() - make_interval(secs => %s)"
                " AND NOT EXISTS (SELECT FROM memories m"
                "  WHERE m.seen_at > now() - make_interval(secs => %s) AND NOT EXISTS ("
                "   SELECT FROM forgotten d WHERE d.memory_id = m.memory_id"
                "   AND d.forgetting_id = f.forgetting_id))",
                (_MEMORIES_S, LIVES_S),
            )
            cursor.execute(
                "DELETE FROM forgettings f WHERE done_at < now() - make_interval(hours => %s)"
                " AND NOT EXISTS (SELECT FROM erasures e"
                " WHERE e.forgetting_id = f.forgetting_id AND e.completed_at IS NULL);"
                "DELETE FROM memories WHERE seen_at < now() - make_interval(hours => %s);"
                "DELETE FROM erased_people WHERE erased_at < now() - make_interval(days => %s)",
                (_DONE_KEPT_H, _DONE_KEPT_H, _REMEMBERED_DAYS),
            )

    def look(self, people: Sequence[str]) -> tuple[list[Place], bool]:
        """What the tables have of these people now, and whether somebody began anew under an id
        after it was erased."""
        with self._database.transaction() as cursor:
            counts = {}
            for table in TABLES:
                cursor.execute(table.counting, {"people": list(people)})
                counts[table.name] = int(_only(cursor))
            places = [_found(cursor, table.name, people, counts[table.name]) for table in TABLES]
            erased = erased_among(cursor, people)
            cursor.execute(
                "SELECT user_id, epoch FROM user_counters WHERE user_id = ANY(%s)", (list(people),)
            )
            anew = any(
                user in erased and epoch >= erased[user].epoch for user, epoch in cursor.fetchall()
            )
        return places, anew


_LATE_STATES = f"""
    DELETE FROM user_states s USING erased_people e
    WHERE s.user_id = ANY(%s) AND e.person = {digest_of("s.user_id")} AND s.epoch < e.epoch
"""  # noqa: S608 - constants only
_REFUSE = f"""
    INSERT INTO erased_people AS known (person, epoch, erased_at)
    SELECT {digest_of("u")}, epoch, now() FROM unnest(%s::text[], %s::bigint[]) AS e (u, epoch)
    ON CONFLICT (person) DO UPDATE SET
        epoch = greatest(known.epoch + 1, excluded.epoch), erased_at = excluded.erased_at
"""  # noqa: S608 - constants only


def _locked_epochs(cursor: Cursor, people: Sequence[str]) -> tuple[dict[str, int], int]:
    """Holds the counters of these people, which whoever touches a log does.

    Returns: their epochs, and how many counters were made for it.
    """
    cursor.execute(
        "INSERT INTO user_counters (user_id) SELECT u FROM unnest(%s::text[]) AS u"
        " ORDER BY u ON CONFLICT DO NOTHING",
        (list(people),),
    )
    made = cursor.rowcount
    cursor.execute(
        "SELECT user_id, epoch FROM user_counters WHERE user_id = ANY(%s) ORDER BY user_id"
        " FOR UPDATE",
        (list(people),),
    )
    return dict(cursor.fetchall()), made


def _end_sessions(cursor: Cursor, user_id: str) -> list[str]:
    """Of the account, or of a visit itself. Those of claimed visits have ended before."""
    cursor.execute("SELECT sign_in_id FROM sign_ins WHERE user_id = %s", (user_id,))
    sign_ins = [sign_in for (sign_in,) in cursor.fetchall()]
    end_sessions(cursor, sign_ins, ACCESS_S)
    if not user_id.startswith(VISITOR_PREFIX):
        return sign_ins
    end_sessions(cursor, [user_id], VISIT_S)
    return [*sign_ins, user_id]


def _empty_tables(cursor: Cursor, people: Sequence[str]) -> dict[str, int]:
    """Returns: how many rows there were of each."""
    counts = {}
    for table in TABLES:
        if table.erasing:
            cursor.execute(table.erasing, {"people": list(people)})
            counts[table.name] = cursor.rowcount
    return counts


def _refuse_past(cursor: Cursor, people: Sequence[str], epochs: Mapping[str, int]) -> None:
    following = [epochs.get(user, 0) + 1 for user in people]
    cursor.execute(_REFUSE, (list(people), following))


def _places(cursor: Cursor, people: Sequence[str], counts: Mapping[str, int]) -> list[Place]:
    return [
        Place(f"postgres/{table.name}", "gone", counts[table.name])
        if table.name in counts
        else _found(cursor, table.name, people, 0)
        for table in TABLES
    ]


def _found(cursor: Cursor, table: str, people: Sequence[str], rows: int) -> Place:
    """What a table has now. Ended sessions are needed until their tokens expire."""
    if table != "ended_sessions":
        return Place(f"postgres/{table}", "found" if rows else "gone", rows)
    cursor.execute(
        # Removed in rounds of ten minutes, an hour later.
        "SELECT count(*), max(until) + interval '80 minutes' FROM ended_sessions"
        " WHERE session = ANY(%s)",
        (list(people),),
    )
    row = cursor.fetchone()
    assert row is not None
    kept, gone_by = row
    return Place(f"postgres/{table}", "expires" if kept else "gone", 0, gone_by)


def _memories(cursor: Cursor, erasure_id: str) -> list[Place]:
    cursor.execute("SELECT forgetting_id FROM erasures WHERE erasure_id = %s", (erasure_id,))
    return memory_places(_forgotten(cursor, int(_only(cursor))), after=False)


def memory_places(removed: Mapping[str, int], *, after: bool) -> list[Place]:
    """removed: by kind of process. after: an erasure, when there should be nothing."""
    return [
        Place(f"memory/{kind}", "found" if after and count else "gone", count)
        for kind, count in removed.items()
    ]


def _forgotten(cursor: Cursor, forgetting_id: int) -> dict[str, int]:
    cursor.execute(
        "SELECT split_part(memory_id, '/', 1), sum(removed)::bigint FROM forgotten"
        " WHERE forgetting_id = %s GROUP BY 1 ORDER BY 1",
        (forgetting_id,),
    )
    return dict(cursor.fetchall())


def _report(cursor: Cursor, erasure_id: str, places: Iterable[Place]) -> None:
    for one in places:
        cursor.execute(
            "INSERT INTO erasure_reports (erasure_id, place, state, removed, gone_by)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (erasure_id, place) DO UPDATE SET"
            " state = excluded.state, removed = excluded.removed, gone_by = excluded.gone_by,"
            " reported_at = now()",
            (erasure_id, one.place, one.state, one.removed, one.gone_by),
        )


def _only(cursor: Cursor) -> Any:
    row = cursor.fetchone()
    assert row is not None
    return row[0]
