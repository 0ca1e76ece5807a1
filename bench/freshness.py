"""Click accepted to list changed, by stage: `python -m bench.freshness`.

Clicks arrive at a fixed rate. For each, after the gateway's 202, one request with `after=` asks for
the person's list and gets it as soon as the click is in it. The stages come from the times at which
the records of that click were written to Kafka, in whole milliseconds:

- ingest: 202 to the record on `interactions`
- embed: from there to the person's vector on `user-vectors`
- rank: from there to the list in the client's hands
"""

import argparse
import asyncio
import random
import time
import uuid
from dataclasses import dataclass, field

import aiohttp
from kafka import KafkaConsumer, TopicPartition

from bench.report import medians, percentiles_ms, print_table
from bench.target import USERS, Target, running_target
from headrace.api.events.v1.events_pb2 import Interaction
from headrace.api.vectors.v1.vectors_pb2 import UserVector
from headrace.runtime import topics

_LIST_LENGTH = 20
STAGES = ("ingest", "embed", "rank", "total")


@dataclass
class Click:
    """One click's times, in seconds since the epoch."""

    event_id: str
    accepted: float = 0.0
    listed: float = 0.0
    stored: float = 0.0
    embedded: float = 0.0
    status: str = ""
    changed: bool = False


@dataclass
class Run:
    """One repeat."""

    model_version: str = ""
    clicks: list[Click] = field(default_factory=list)


async def click_and_ask(
    session: aiohttp.ClientSession, user: str, lists: dict[str, list[tuple[str, float]]], run: Run
) -> None:
    """Clicks an item of the person's list and waits for the list that has it."""
    before = lists[user]
    click = Click(uuid.uuid4().hex)
    item_id = random.choice(before)[0]
    event = {"event_id": click.event_id, "user_id": user, "item_id": item_id, "type": "click"}
    async with session.post("/v1/events", json={"events": [event]}) as answer:
        answer.raise_for_status()
    click.accepted = time.time()
    after = {"n": str(_LIST_LENGTH), "after": click.event_id}
    async with session.get(f"/v1/users/{user}/recommendations", params=after) as answer:
        answer.raise_for_status()
        body = await answer.json()
    click.listed = time.time()
    click.status = body["after"]["status"]
    lists[user] = listed(body)
    click.changed = lists[user] != before
    run.clicks.append(click)
    run.model_version = body["model_version"]


def listed(body: dict[str, list[dict[str, object]]]) -> list[tuple[str, float]]:
    """The items and scores of a list."""
    return [(str(item["item_id"]), float(str(item["score"]))) for item in body["items"]]


async def drive(target: Target, per_second: int, seconds: int) -> Run:
    """Clicks at a fixed rate, whether or not earlier ones were answered."""
    run = Run()
    users = random.sample(USERS, k=min(len(USERS), per_second * 10))
    async with aiohttp.ClientSession(target.url, headers=target.headers) as session:
        lists = {}
        for user in users:
            path = f"/v1/users/{user}/recommendations"
            async with session.get(path, params={"n": str(_LIST_LENGTH)}) as answer:
                answer.raise_for_status()
                lists[user] = listed(await answer.json())
        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for number in range(per_second * seconds):
                await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
                # A person is clicked through again only after everybody else.
                user = users[number % len(users)]
                tasks.create_task(click_and_ask(session, user, lists, run))
    return run


def add_stages(target: Target, run: Run, began: float) -> None:
    """Reads when the records of each click were written."""
    clicks = {click.event_id: click for click in run.clicks}
    for value, written in records_since(target.kafka, topics.INTERACTIONS, began):
        found = clicks.get(Interaction.FromString(value).event_id)
        if found is not None and not found.stored:
            found.stored = written
    for value, written in records_since(
        target.kafka, topics.user_vectors(run.model_version), began
    ):
        for event_id in UserVector.FromString(value).recent_event_ids:
            if event_id in clicks and not clicks[event_id].embedded:
                clicks[event_id].embedded = written


def records_since(kafka: str, topic: str, began: float) -> list[tuple[bytes, float]]:
    """Values of a topic's records written since `began`, each with its time."""
    consumer = KafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    try:
        parts = [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(parts)
        ends = consumer.end_offsets(parts)
        starts = consumer.offsets_for_times({part: int(began * 1000) for part in parts})
        for part in parts:
            consumer.seek(part, starts[part].offset if starts[part] else ends[part])
        found = []
        while any(consumer.position(part) < end for part, end in ends.items()):
            for batch in consumer.poll(timeout_ms=500).values():
                found += [(record.value, record.timestamp / 1000) for record in batch]
        return found
    finally:
        consumer.close()


def figures(run: Run) -> dict[str, tuple[float, float, float]]:
    """p50, p90, p99 of each stage in milliseconds."""
    done = [click for click in run.clicks if click.stored and click.embedded]
    return {
        "ingest": percentiles_ms([click.stored - click.accepted for click in done]),
        "embed": percentiles_ms([click.embedded - click.stored for click in done]),
        "rank": percentiles_ms([click.listed - click.embedded for click in done]),
        "total": percentiles_ms([click.listed - click.accepted for click in run.clicks]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--per-second", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    runs, results = [], []
    with running_target() as target:
        asyncio.run(drive(target, given.per_second, 2))  # warm-up
        for _ in range(given.repeats):
            began = time.time()
            run = asyncio.run(drive(target, given.per_second, given.seconds))
            add_stages(target, run, began)
            runs.append(run)
            results.append(figures(run))
    rows = [[stage, *medians([result[stage] for result in results])] for stage in STAGES]
    print_table(
        f"Click accepted to list changed: {given.per_second} clicks/s for {given.seconds} s, "
        f"median of {given.repeats} repeats",
        ["stage", "p50 ms", "p90 ms", "p99 ms"],
        rows,
    )
    clicks = [click for run in runs for click in run.clicks]
    applied = sum(click.status == "applied" for click in clicks)
    changed = sum(click.changed for click in clicks)
    print(f"clicks {len(clicks)}, in the list {applied}, list changed {changed}")


if __name__ == "__main__":
    main()
