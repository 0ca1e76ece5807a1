"""Production has room for what docs/capacity.md says that it is sized for."""

import re

from bench.capacity.costs import Costs
from bench.capacity.plan import (
    BUSY,
    CONSUMERS,
    DISK_USED,
    PRODUCTION,
    kafka,
    postgres,
    processes,
    ranker_memory,
    user_embedding_memory,
)
from tests.integration.deploy.manifests import Object, of_kind, pods

_BUILD = "overlays/production"
_UNITS = {"Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_COSTS = Costs.read()


def _bytes(quantity: str) -> int:
    found = re.fullmatch(r"(\d+)(Mi|Gi|Ti)", quantity)
    assert found, quantity
    return int(found[1]) * _UNITS[found[2]]


def _cores(quantity: str) -> float:
    return int(quantity[:-1]) / 1_000 if quantity.endswith("m") else float(quantity)


def _service(thing: Object) -> str:
    """As the code calls it; both slots of a model's service are one."""
    name: str = thing["metadata"]["name"]
    return name.removesuffix("-green").replace("-", "_")


def test_a_broker_has_room_for_every_topic_for_as_long_as_it_is_kept() -> None:
    [pool] = of_kind(_BUILD, "KafkaNodePool")
    [volume] = pool["spec"]["storage"]["volumes"]
    [shared] = [
        thing["data"]
        for thing in of_kind(_BUILD, "ConfigMap")
        if "topic-replication" in thing["data"]
    ]
    share = int(shared["topic-replication"]) / pool["spec"]["replicas"]
    held = share * sum(size for _, size in kafka(_COSTS, PRODUCTION))
    assert held <= DISK_USED * _bytes(volume["size"]), f"{held / 1e9:,.0f} GB"


def test_postgres_has_room_for_the_log_and_what_is_made_of_it() -> None:
    [cluster] = of_kind(_BUILD, "Cluster")
    held = sum(size for _, size in postgres(_COSTS, PRODUCTION))
    assert held <= DISK_USED * _bytes(cluster["spec"]["storage"]["size"]), f"{held / 1e9:,.0f} GB"


def test_pods_ask_for_the_memory_that_their_load_takes() -> None:
    wanted = {
        "ranker": ranker_memory(_COSTS, PRODUCTION),
        "user_embedding": user_embedding_memory(_COSTS),
    }
    found = [pod for pod in pods(_BUILD) if pod.serves and _service(pod.owner) in wanted]
    assert len(found) == 2 * len(wanted)
    for pod in found:
        [container] = pod.containers
        asked = _bytes(container["resources"]["requests"]["memory"])
        assert wanted[_service(pod.owner)] <= asked, pod.name


def test_autoscalers_go_as_far_as_the_load_wants() -> None:
    wanted = processes(_COSTS, PRODUCTION)
    scalers = {
        _service(scaler): scaler["spec"]
        for scaler in of_kind(_BUILD, "HorizontalPodAutoscaler", "ScaledObject")
    }
    for service, count in wanted.items():
        spec = scalers[service]
        assert count <= (spec.get("maxReplicas") or spec["maxReplicaCount"]), service
    [settings] = [
        thing["data"]
        for thing in of_kind(_BUILD, "ConfigMap")
        if "topic-partitions" in thing["data"]
    ]
    assert max(wanted[name] for name in CONSUMERS) <= int(settings["topic-partitions"])


def test_kafka_and_postgres_may_compute_what_the_load_takes() -> None:
    [pool], [cluster] = of_kind(_BUILD, "KafkaNodePool"), of_kind(_BUILD, "Cluster")
    for name, thing in (("kafka", pool), ("postgres", cluster)):
        busy = (
            PRODUCTION.events_per_s * _COSTS.cpu["click"][name]
            + PRODUCTION.lists_per_s * _COSTS.cpu["list"][name]
        )
        # As if one server did it all.
        assert busy <= BUSY * _cores(thing["spec"]["resources"]["limits"]["cpu"]), name
