"""Events a second through the whole pipeline to the ranker: `python -m bench.ingest`.

Batches go to the gateway as fast as it accepts them, with a few in flight. The clock stops when the
last event of every person asked about is in that person's list, which the ranker itself says.
"""

import argparse
import asyncio
import random
import time
import uuid

import aiohttp

from bench.report import medians, print_table
from bench.target import ITEMS, USERS, Target, running_target

_BATCH = 500
_DEADLINE_S = 120.0


async def send(session: aiohttp.ClientSession, batch: list[dict[str, str]]) -> None:
    async with session.post("/v1/events", json={"events": batch}) as answer:
        answer.raise_for_status()


async def accept_all(
    session: aiohttp.ClientSession, events: list[dict[str, str]], in_flight: int
) -> None:
    """Sends every event; each person's go through one lane, and so in order."""
    lanes: list[list[dict[str, str]]] = [[] for _ in range(in_flight)]
    for event in events:
        lanes[int(event["user_id"]) % in_flight].append(event)

    async def lane(events: list[dict[str, str]]) -> None:
        for start in range(0, len(events), _BATCH):
            await send(session, events[start : start + _BATCH])

    async with asyncio.TaskGroup() as tasks:
        for events_of_lane in lanes:
            tasks.create_task(lane(events_of_lane))


async def until_listed(
    session: aiohttp.ClientSession, last: dict[str, str], deadline: float
) -> None:
    """Waits until the last event of each person is in the ranker's vector."""
    for user, event_id in last.items():
        while True:
            params = {"n": "1", "after": event_id}
            async with session.get(f"/v1/users/{user}/recommendations", params=params) as answer:
                answer.raise_for_status()
                status = (await answer.json())["after"]["status"]
            if status == "applied":
                break
            if time.monotonic() > deadline:
                raise TimeoutError(f"user {user}: event {event_id} is {status}")


async def drive(target: Target, count: int, in_flight: int) -> list[float]:
    """Events/s accepted, and events/s until all are in the lists."""
    events = [
        {
            "event_id": uuid.uuid4().hex,
            "user_id": random.choice(USERS),
            "item_id": random.choice(ITEMS),
            "type": "view",
        }
        for _ in range(count)
    ]
    last = {event["user_id"]: event["event_id"] for event in events}
    async with aiohttp.ClientSession(target.url, headers=target.headers) as session:
        began = time.monotonic()
        await accept_all(session, events, in_flight)
        accepted = time.monotonic()
        await until_listed(session, last, began + _DEADLINE_S)
        listed = time.monotonic()
    return [count / (accepted - began), count / (listed - began), listed - accepted]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--in-flight", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    with running_target() as target:
        asyncio.run(drive(target, 5_000, given.in_flight))  # warm-up
        repeats = [
            asyncio.run(drive(target, given.events, given.in_flight)) for _ in range(given.repeats)
        ]
    print_table(
        f"{given.events} events in batches of {_BATCH}, {given.in_flight} in flight, "
        f"median of {given.repeats} repeats",
        ["accepted/s", "in the lists/s", "lag after the last 202, s"],
        [medians(repeats)],
    )


if __name__ == "__main__":
    main()
