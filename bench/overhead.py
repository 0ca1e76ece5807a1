"""What watching costs: CPU of a list with and without metrics, logs and traces, and with what the
product makes of lists: `python -m bench.overhead`.

A gateway and a ranker beside the running system answer handfuls of lists, while a click for ten
lists goes to Kafka. In a turn the same people get theirs with each watching, which is switched in
the two processes (`bench.watched`): a busy machine is not the same for a second, and two processes
of the same code differ by as much as is to be measured. A figure is the median over turns of the
ratio to the bare handful of the turn, in CPU of both processes together.

Of one list in a hundred a handful has a span or two. So they are measured with spans of all lists,
of which a hundredth is taken, and what it takes to send those of one in a hundred is added.
"""

import argparse
import asyncio
import itertools
import os
import random
import statistics
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from google.protobuf.timestamp_pb2 import Timestamp

from bench.report import median_within, print_table
from bench.serving import Ask, over_http
from bench.target import ITEMS, USERS, Target
from bench.watched import Watching
from bench.watched_pair import Pair, Process, pair_beside
from headrace.api.events.v1.events_pb2 import EVENT_TYPE_CLICK, Event
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.topics import EVENTS

_LISTS_A_CLICK = 10
_IN_FLIGHT = 4
_WARM_UP_S = 10.0
_BY_TURNS = [Watching.BARE, Watching.METRICS, Watching.EVERY]
_HANDFUL = 16
_TURNS = 20
_SWITCHED_S = 0.005
# Spans are sent every five seconds.
_EXPORTS_S = 30.0
# Impressions are on their way for half a second: it is measured once they go on evenly.
_EVEN_S = 1.2
_PRODUCT_S = 1.5
_IDLE_S = 10.0
_SCRAPES = 20


@contextmanager
def clicks(target: Target, a_second: float) -> Iterator[None]:
    """New clicks of the demo's people on topic `events`, meanwhile."""
    publisher, stop = Publisher(target.kafka), threading.Event()

    def send() -> None:
        while not stop.wait(1 / a_second):
            user, now = random.choice(USERS), Timestamp()
            now.GetCurrentTime()
            event = Event(
                event_id=uuid.uuid4().hex,
                user_id=user,
                item_id=random.choice(ITEMS),
                type=EVENT_TYPE_CLICK,
                occurred_at=now,
                accepted_at=now,
            )
            publisher.publish([Outgoing(EVENTS, user.encode(), event.SerializeToString())])

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        publisher.close()


@dataclass(frozen=True)
class Cost:
    """CPU of each process in seconds, and the lists that were made."""

    cpu_s: Sequence[float]
    lists: int

    def ms(self) -> list[float]:
        """A list, by process."""
        return [1_000 * cpu_s / self.lists for cpu_s in self.cpu_s]


Turn = Mapping[Watching, Cost]


@dataclass
class Figures:
    """turns: of each a handful by watching. product: of a while by round, as its turns. exports_ms:
    CPU of both that sending the spans of 1 % takes, for each list."""

    turns: list[list[Turn]] = field(default_factory=list)
    product: list[Cost] = field(default_factory=list)
    exports_ms: float = 0.0


class Load:
    """Gets lists of the demo's people, some at the same time."""

    def __init__(self, ask: Ask, pair: Pair) -> None:
        self._ask = ask
        self._pair = pair
        self._users = itertools.cycle(random.sample(USERS, len(USERS)))

    def people(self) -> list[str]:
        return list(itertools.islice(self._users, _HANDFUL))

    async def handful(self, people: Sequence[str]) -> Cost:
        before, waiting = self._pair.cpu_s(), iter(people)

        async def asking() -> None:
            for user in waiting:
                await self._ask(user)

        await asyncio.gather(*(asking() for _ in range(_IN_FLIGHT)))
        return Cost(_between(before, self._pair.cpu_s()), len(people))

    async def a_while(self, seconds: float) -> Cost:
        """One handful after the other for so long."""
        before, lists, until = self._pair.cpu_s(), 0, time.monotonic() + seconds
        while time.monotonic() < until:
            lists += (await self.handful(self.people())).lists
        return Cost(_between(before, self._pair.cpu_s()), lists)

    async def turn(self) -> Turn:
        people, costs = self.people(), {}
        for watching in random.sample(_BY_TURNS, len(_BY_TURNS)):
            self._pair.switch(watching)
            await asyncio.sleep(_SWITCHED_S)
            costs[watching] = await self.handful(people)
        return costs


def _between(before: Sequence[float], after: Sequence[float]) -> list[float]:
    return [now - was for was, now in zip(before, after, strict=True)]


async def measured(pair: Pair, rounds: int) -> Figures:
    figures = Figures()
    async with over_http(pair.target) as ask:
        load = Load(ask, pair)
        warm = await load.a_while(_WARM_UP_S)
        with clicks(pair.target, warm.lists / _WARM_UP_S / _LISTS_A_CLICK):
            for _ in range(rounds):
                figures.turns.append([await load.turn() for _ in range(_TURNS)])
                pair.switch(Watching.PRODUCT)
                await load.a_while(_EVEN_S)
                figures.product.append(await load.a_while(_PRODUCT_S))
            pair.switch(Watching.TRACED)
            # What was traced before is sent by then.
            await load.a_while(_EXPORTS_S / 4)
            before = sum(await asyncio.to_thread(pair.exports_s))
            lists = (await load.a_while(_EXPORTS_S)).lists
            sent_s = sum(await asyncio.to_thread(pair.exports_s)) - before
            figures.exports_ms = 1_000 * sent_s / lists
    return figures


def idle(processes: Sequence[Process]) -> list[float]:
    """CPU of each in ms a second while nobody asks for lists."""
    before = [process.cpu_s() for process in processes]
    time.sleep(_IDLE_S)
    return [
        1_000 * (process.cpu_s() - began) / _IDLE_S
        for process, began in zip(processes, before, strict=True)
    ]


def scraped(process: Process) -> float:
    """CPU in ms of an answer to Prometheus."""
    began = process.cpu_s()
    for _ in range(_SCRAPES):
        process.metrics()
    return 1_000 * (process.cpu_s() - began) / _SCRAPES


def rows(figures: Figures) -> list[list[object]]:
    """Of the table: by watching, ms of CPU of a list, and how much more than bare in %."""
    turns = [turn for of_round in figures.turns for turn in of_round]
    costs = {watching: [turn[watching] for turn in turns] for watching in _BY_TURNS}
    bare = [sum(cost.ms()) for cost in costs[Watching.BARE]]
    metrics, every = (
        [sum(cost.ms()) / without for cost, without in zip(costs[one], bare, strict=True)]
        for one in (Watching.METRICS, Watching.EVERY)
    )
    sent = figures.exports_ms / statistics.median(bare)
    in_hundred = [
        watched + (traced - watched) / 100 + sent
        for watched, traced in zip(metrics, every, strict=True)
    ]
    product = [
        sum(cost.ms()) / statistics.median(sum(turn[Watching.BARE].ms()) for turn in of_round)
        for cost, of_round in zip(figures.product, figures.turns, strict=True)
    ]
    return [
        ["bare", *_ms(costs[Watching.BARE]), "", ""],
        ["metrics, logs, trace contexts", *_ms(costs[Watching.METRICS]), *_more(metrics)],
        ["and spans of 1 %", "", "", "", *_more(in_hundred)],
        ["and spans of all", *_ms(costs[Watching.EVERY]), *_more(every)],
        ["metrics, impressions, live accuracy", *_ms(figures.product), *_more(product)],
    ]


def _ms(costs: Sequence[Cost]) -> list[object]:
    by_process = [
        statistics.median(of_one) for of_one in zip(*(c.ms() for c in costs), strict=True)
    ]
    return [*by_process, sum(by_process)]


def _more(ratios: Sequence[float]) -> list[object]:
    low, median, high = (100 * (ratio - 1) for ratio in median_within(ratios))
    return [median, f"{low:.1f} to {high:.1f}"]


def print_lists(figures: Figures) -> None:
    print_table(
        f"CPU of a list in ms: medians of {sum(map(len, figures.turns))} turns, of the last row of "
        f"{len(figures.product)} rounds; a click for {_LISTS_A_CLICK} lists, load "
        f"{os.getloadavg()[1]:.1f}",
        ["", "ranker", "gateway", "both", "% over bare", "95 % interval"],
        rows(figures),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30, help=f"of {_TURNS} turns")
    given = parser.parse_args()
    with pair_beside() as (pair, plain):
        figures = asyncio.run(measured(pair, given.rounds))
        pair.switch(Watching.PRODUCT)
        time.sleep(_EVEN_S)
        processes = [*pair.processes, plain]
        at_rest = idle(processes)
        scrapes = [scraped(process) for process in processes]
    print_lists(figures)
    print_table(
        "CPU that does not depend on lists",
        ["", "ms a second at rest", "ms a scrape"],
        [
            [process.name, still, scrape]
            for process, still, scrape in zip(processes, at_rest, scrapes, strict=True)
        ],
    )


if __name__ == "__main__":
    main()
