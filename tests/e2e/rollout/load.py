"""People who look and click at a steady rate, whatever happens meanwhile."""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

import aiohttp

from tests.e2e.rollout.cluster import Cluster
from tests.e2e.visitor import API_KEY
from tests.service_names import OneOfReady

_LENGTH = 10
_AFTER_EVERY = 10
"""Of so many clicks one is followed by a list that is to have it."""
_CONNECTIONS = 50
_ANSWERED_S = 120.0
_LOOK_S = 0.1


@dataclass
class Phase:
    """What came of the requests that were due while it lasted. seconds: of lists, from when due."""

    name: str
    seconds: list[float] = field(default_factory=list)
    clicks: int = 0
    after: Counter[str] = field(default_factory=Counter)
    degraded: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


class Load:
    """Lists and clicks of some people. `phase` may be replaced while it goes on."""

    def __init__(self, cluster: Cluster, rate: float, people: int, items: int) -> None:
        """rate: lists a second, and as many clicks."""
        self.phases: list[Phase] = []
        self.accepted: list[str] = []
        """Ids of clicks, in order."""
        self._cluster = cluster
        self._rate = rate
        self._people = people
        self._items = items

    def begin(self, name: str) -> Phase:
        self.phases.append(Phase(name))
        return self.phases[-1]

    async def until_answered(self, lists: int) -> None:
        """Until so many more lists have come. Raises: TimeoutError."""
        wanted = self._lists() + lists
        async with asyncio.timeout(_ANSWERED_S):
            while self._lists() < wanted:  # noqa: ASYNC110 - it is counted
                await asyncio.sleep(_LOOK_S)

    def _lists(self) -> int:
        return sum(len(phase.seconds) for phase in self.phases)

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        # A Service gives each new connection to one pod; a connection then stays there.
        connector = aiohttp.TCPConnector(
            limit=_CONNECTIONS,
            resolver=OneOfReady(lambda: self._cluster.ready("gateway")),
            use_dns_cache=False,
        )
        port = self._cluster.services["gateway"].ports["http"]
        async with aiohttp.ClientSession(
            f"http://gateway:{port}",
            headers={"Authorization": f"Bearer {API_KEY}"},
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=20),
        ) as session:
            stop = asyncio.Event()
            arrivals = [
                asyncio.create_task(self._arrivals(one, session, stop))
                for one in (self._look, self._click)
            ]
            try:
                yield
            finally:
                stop.set()
                await asyncio.gather(*arrivals)

    async def _arrivals(
        self,
        one: Callable[[aiohttp.ClientSession, int, float, Phase], Awaitable[None]],
        session: aiohttp.ClientSession,
        stop: asyncio.Event,
    ) -> None:
        """At even distances, whether or not those before were answered."""
        due = time.perf_counter()
        async with asyncio.TaskGroup() as under_way:
            for number in count():
                if stop.is_set():
                    return
                under_way.create_task(self._noted(one, session, number, due))
                due += 1 / self._rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))

    async def _noted(
        self,
        one: Callable[[aiohttp.ClientSession, int, float, Phase], Awaitable[None]],
        session: aiohttp.ClientSession,
        number: int,
        due: float,
    ) -> None:
        phase = self.phases[-1]
        try:
            await one(session, number, due, phase)
        except (aiohttp.ClientError, TimeoutError) as error:
            phase.failures.append(f"{time.strftime('%H:%M:%S')} {one.__name__}: {error!r}")

    async def _look(
        self, session: aiohttp.ClientSession, number: int, due: float, phase: Phase
    ) -> None:
        # POST, since a client may send a GET again by itself.
        body = {"user_id": self._person(number), "n": _LENGTH}
        async with session.post("/v1/recommendations", json=body) as answer:
            told = await answer.json()
        phase.seconds.append(time.perf_counter() - due)
        if answer.status != 200 or len(told["items"]) != _LENGTH:
            phase.failures.append(f"{time.strftime('%H:%M:%S')} {answer.status} {told}")
        elif told["degraded"]:
            phase.degraded[told["degraded"]] += 1

    async def _click(
        self, session: aiohttp.ClientSession, number: int, _due: float, phase: Phase
    ) -> None:
        event_id = uuid.uuid4().hex
        user_id = self._person(number)
        item_id = f"item-{number * 7 % self._items}"
        event = {"event_id": event_id, "user_id": user_id, "item_id": item_id, "type": "click"}
        async with session.post("/v1/events", json={"events": [event]}) as answer:
            if answer.status != 202:
                phase.failures.append(f"{answer.status} {await answer.text()}")
                return
        phase.clicks += 1
        self.accepted.append(event_id)
        if number % _AFTER_EVERY == 0:
            body = {"user_id": user_id, "n": _LENGTH, "after": event_id}
            async with session.post("/v1/recommendations", json=body) as answer:
                told = await answer.json()
            if answer.status != 200:
                phase.failures.append(f"{answer.status} {told}")
            else:
                phase.after[told["after"]["status"]] += 1

    def _person(self, number: int) -> str:
        return f"person-{number % self._people}"
