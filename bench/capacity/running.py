"""What items, events and lists cost a running system: CPU by process, bytes by table and topic.

Rounds of different sizes; in each, items are imported, people come with a history that is imported
in batches, then click one by one, then ask for lists. What was used before and after tells the
cost of each phase, CPU beyond what is used at rest for as long, and a line through the rounds the
cost of one more.
"""

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

import aiohttp

from bench.capacity.lines import Line, line_through
from bench.capacity.used import Used, resident_mib, used
from headrace.local.system import LocalSystem
from headrace.local.waiting import wait_until
from headrace.release.registry import Progress, Registry
from headrace.store.database import Database

EVENTS_OF_A_PERSON = 20
_AT_ONCE = 500
_IN_FLIGHT = 8
_LIST_LENGTH = 20
_DEADLINE_S = 180.0
_REST_S = 5.0
_ROUNDS = (1, 2, 4)
_ITEMS, _PEOPLE, _CLICKS, _LISTS = 1_000, 500, 1_000, 500
_WORDS = ("quiet", "river", "mountain", "yellow", "iron", "garden", "old", "summer", "paper", "sea")
_STORED = "SELECT count(*) FROM interactions"
_NOTED = "SELECT count(*) FROM served_lists"

Body = Mapping[str, Any]
Work = Callable[[aiohttp.ClientSession, int], Awaitable[None]]
"""How many of them are done, on a session with the gateway."""


@dataclass(frozen=True)
class Phase:
    """One kind of work in rounds of different sizes."""

    each: str
    counts: Sequence[int]
    used: Sequence[Used]

    def lines(self, kind: str) -> dict[str, Line]:
        """By process, table or topic. kind: a field of `Used`."""
        names = {name for one in self.used for name in getattr(one, kind)}
        return {
            name: line_through(self.counts, [getattr(one, kind)[name] for one in self.used])
            for name in sorted(names)
        }

    @property
    def a_second(self) -> float:
        """How many, over the whole of the largest round."""
        return self.counts[-1] / self.used[-1].seconds


class Measured(NamedTuple):
    rest: Used
    phases: Sequence[Phase]
    resident: Mapping[str, float]
    """MiB by process after all of it."""


def measure(system: LocalSystem, api_key: str, scale: float, *, clicks_alone: bool) -> Measured:
    """clicks_alone: what is before them is done, and only for them to be possible."""
    with closing(Database(system.database_url, 1)) as database:
        return asyncio.run(_Rounds(system, database, api_key).run(scale, clicks_alone))


class _Rounds:
    def __init__(self, system: LocalSystem, database: Database, api_key: str) -> None:
        self._system = system
        self._database = database
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._items: list[str] = []
        self._people: list[str] = []
        self._sent = 0
        self._listed = 0

    async def run(self, scale: float, clicks_alone: bool) -> Measured:
        works: dict[str, tuple[int, Work]] = {
            "item": (_ITEMS, self._import_items),
            "imported event": (_PEOPLE * EVENTS_OF_A_PERSON, self._import_events),
            "click": (_CLICKS, self._click),
            "list": (_LISTS, self._ask),
        }
        measured = ["click"] if clicks_alone else list(works)
        used: dict[str, list[Used]] = {each: [] for each in measured}
        rests = []
        async with aiohttp.ClientSession(self._system.http_url, headers=self._headers) as session:
            for _, work in works.values():
                await work(session, _AT_ONCE)  # warm-up: tables and topics have their first pages
            for size in _ROUNDS:
                rests.append(await self._used_by(asyncio.sleep(_REST_S)))
                for each in measured:
                    of_one, work = works[each]
                    used[each].append(
                        await self._used_by(work(session, int(of_one * size * scale)))
                    )
        rest = reduce(Used.plus, rests)
        phases = [
            Phase(
                each,
                [int(works[each][0] * size * scale) for size in _ROUNDS],
                [one.beyond(rest) for one in used[each]],
            )
            for each in measured
        ]
        return Measured(rest, phases, resident_mib(self._system))

    async def _used_by(self, work: Awaitable[None]) -> Used:
        before = used(self._system, self._database)
        await work
        return used(self._system, self._database).since(before)

    async def _import_items(self, session: aiohttp.ClientSession, count: int) -> None:
        new = [self._item() for _ in range(count)]
        self._items.extend(item["item_id"] for item in new)
        for part in _parts(new):
            await _post(session, "/v1/items", {"items": part})
        await self._until(lambda: self._progress().lacking == 0, "every item has its vector")

    async def _import_events(self, session: aiohttp.ClientSession, count: int) -> None:
        people = [uuid.uuid4().hex for _ in range(max(1, count // EVENTS_OF_A_PERSON))]
        self._people.extend(people)
        await self._send(
            session, _parts([self._event(random.choice(people)) for _ in range(count)])
        )

    async def _click(self, session: aiohttp.ClientSession, count: int) -> None:
        await self._send(
            session, ([self._event(random.choice(self._people))] for _ in range(count))
        )

    async def _ask(self, session: aiohttp.ClientSession, count: int) -> None:
        async def one(user: str) -> None:
            path = f"/v1/users/{user}/recommendations?n={_LIST_LENGTH}"
            async with session.get(path) as answer:
                answer.raise_for_status()
                await answer.read()

        await _in_flight(one, (random.choice(self._people) for _ in range(count)))
        self._listed += count
        await self._until(lambda: self._count(_NOTED) >= self._listed, "every list is noted down")

    async def _send(self, session: aiohttp.ClientSession, batches: Iterator[list[Body]]) -> None:
        async def one(batch: list[Body]) -> None:
            await _post(session, "/v1/events", {"events": batch})
            self._sent += len(batch)

        await _in_flight(one, batches)
        await self._until(self._stored, "every event is stored, and in its person's state")

    async def _until(self, holds: Callable[[], bool], what: str) -> None:
        if not await asyncio.to_thread(wait_until, holds, _DEADLINE_S, 0.2):
            raise TimeoutError(f"waited {_DEADLINE_S:.0f} s in vain until {what}")

    def _stored(self) -> bool:
        return self._count(_STORED) == self._sent and self._progress().behind == 0

    def _count(self, statement: str) -> int:
        with self._database.transaction() as cursor:
            cursor.execute(statement)
            [(count,)] = cursor.fetchall()
        return int(count)

    def _progress(self) -> Progress:
        return Registry(self._database).progress(self._system.model_version)

    def _item(self) -> Body:
        """An item as shops have them, with 30 words of description."""
        number = len(self._items)
        return {
            "item_id": uuid.uuid4().hex[:16],
            "title": " ".join(random.choices(_WORDS, k=5)),
            "description": " ".join(random.choices(_WORDS, k=30)),
            "categories": [f"{random.choice(_WORDS)} > {random.choice(_WORDS)}" for _ in range(2)],
            "tags": random.sample(_WORDS, 3),
            "attributes": {"year": 1950 + number % 70, "weight_kg": random.random()},
            "text_attributes": {"brand": random.choice(_WORDS), "colour": random.choice(_WORDS)},
            "price": {"amount": random.randrange(100, 100_000), "currency": "EUR"},
        }

    def _event(self, user: str) -> Body:
        return {
            "event_id": uuid.uuid4().hex,
            "user_id": user,
            "item_id": random.choice(self._items),
            "type": random.choice(("view", "view", "view", "click", "cart", "purchase")),
        }


async def _post(session: aiohttp.ClientSession, path: str, body: Body) -> None:
    async with session.post(path, json=body) as answer:
        answer.raise_for_status()


async def _in_flight(one: Callable[[Any], Awaitable[None]], works: Iterator[Any]) -> None:
    async def worker() -> None:
        for work in works:
            await one(work)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(_IN_FLIGHT):
            tasks.create_task(worker())


def _parts(whole: list[Body]) -> Iterator[list[Body]]:
    return (whole[start : start + _AT_ONCE] for start in range(0, len(whole), _AT_ONCE))
