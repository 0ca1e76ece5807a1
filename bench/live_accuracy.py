"""Whether live accuracy tells what evaluation tells: `python -m bench.live_accuracy`.

A system of its own gets the demo's history but for each person's last choice, as an import, and
then those, as clicks of now: what a bundle is tested on. The ranker's counters are set beside what
`headrace evaluate` says of the same bundle. Trains the demo's bundle first, if need be.
"""

import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from google.protobuf.timestamp_pb2 import Timestamp
from prometheus_client.parser import text_string_to_metric_families

from bench.report import print_table
from headrace.api.events.v1.events_pb2 import EVENT_TYPE_RATING, Event
from headrace.bundle import Bundle
from headrace.evaluation.evaluate import evaluate
from headrace.local.demo import load_demo, write_csv
from headrace.local.demo_catalogue import import_catalogue
from headrace.local.demo_history import send_history, wait_applied
from headrace.local.demo_model import trained_bundle
from headrace.local.home import home_folder
from headrace.local.ports import Ports
from headrace.local.system import LocalSystem
from headrace.local.waiting import wait_until
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.topics import EVENTS
from headrace.training.data import read_log

_A_SECOND = 50
_FIGURES = {"HR@10": "hits", "NDCG@10": "gains", "MRR@10": "reciprocal_ranks"}


def offline(home: Path, bundle: Path) -> dict[str, float]:
    """HR, NDCG and MRR of the test part, by name, and the number of its people."""
    interactions, items = write_csv(home / "demo")
    found = evaluate(Bundle.load(str(bundle)), read_log(interactions, items))
    test = found.served["test"]
    return {
        "people": float(len(found.split.test.users)),
        **{name: test.intervals[name].mean for name in _FIGURES},
    }


def live(home: Path, bundle: Path) -> tuple[dict[str, float], dict[str, float]]:
    """The same by the ranker's counters, and how many interactions came to what."""
    demo = load_demo()
    ratings = demo.interactions
    last = ratings.groupby("user_id", sort=False)["row"].tail(1)
    held_out = ratings["row"].isin(last)
    with LocalSystem(
        home,
        Ports.free(),
        bundle,
        api_key="hr_only_for_this_bench",
        environment={"HEADRACE_ACCURACY_CLICKS_PER_S": "1000"},
        say=lambda _text: None,
    ) as system:
        import_catalogue(system.grpc_address("item_embedding"), demo.items, lambda _count: None)
        history = ratings[~held_out]
        send_history(system.kafka_bootstrap_servers, history, lambda _count: None)
        wait_applied(system.database_url, system.model_version, len(history), lambda _count: None)
        click(system.kafka_bootstrap_servers, ratings[held_out])
        people = int(held_out.sum())
        imported = len(history)
        wait_until(lambda: read(system) >= imported + people, 60)
        return figures(system), outcomes(system)


def click(bootstrap_servers: str, choices: pd.DataFrame) -> None:
    """Each now, one after the other."""
    publisher = Publisher(bootstrap_servers)
    for row, user, item, value in zip(
        choices["row"], choices["user_id"], choices["item_id"], choices["rating"], strict=True
    ):
        now = Timestamp()
        now.GetCurrentTime()
        event = Event(
            event_id=f"live-{row}",
            user_id=user,
            item_id=item,
            type=EVENT_TYPE_RATING,
            value=float(value),
            occurred_at=now,
            accepted_at=now,
        )
        publisher.publish([Outgoing(EVENTS, user.encode(), event.SerializeToString())])
        time.sleep(1 / _A_SECOND)
    publisher.flush()
    publisher.close()


def figures(system: LocalSystem) -> dict[str, float]:
    clicks = _sum(system, "clicks", {"person": "known"})
    sums = {
        name: _sum(system, part, {"person": "known", **({"k": "10"} if part == "hits" else {})})
        for name, part in _FIGURES.items()
    }
    return {"people": clicks, **{name: total / clicks for name, total in sums.items()}}


def outcomes(system: LocalSystem) -> dict[str, float]:
    return {labels["outcome"]: value for labels, value in _samples(system, "events") if value}


def read(system: LocalSystem) -> float:
    """Interactions of which the ranker knows what became."""
    return _sum(system, "events", {})


def _sum(system: LocalSystem, name: str, where: Mapping[str, str]) -> float:
    return sum(value for labels, value in _samples(system, name) if where.items() <= labels.items())


def _samples(system: LocalSystem, name: str) -> list[tuple[dict[str, str], float]]:
    with urllib.request.urlopen(system.metrics_url("ranker"), timeout=5) as answer:
        text = answer.read().decode()
    return [
        (sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == f"headrace_accuracy_{name}_total"
    ]


def main() -> None:
    home = home_folder()
    bundle = trained_bundle(home)
    with tempfile.TemporaryDirectory() as folder:
        counted, became = live(Path(folder), bundle)
    told = offline(home, bundle)
    rows = [[name, told[name], counted[name]] for name in told]
    print_table(
        "Each person's last choice: by evaluation, and by the ranker as it came",
        ["", "headrace evaluate", "live"],
        rows,
    )
    sys.stdout.write(f"interactions read by the ranker: {became}\n")


if __name__ == "__main__":
    main()
