"""Topics are created as specified, once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from headrace.errors import Unavailable
from headrace.local.ports import free_ports
from headrace.runtime.topics import create_topics, topic_specs
from tests.conftest import KafkaServer


def test_topics_have_the_settings_and_partitions_that_their_specs_name(kafka: KafkaServer) -> None:
    create_topics(kafka.bootstrap_servers, "v-settings", partitions=3)
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    try:
        partitions = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}
        for spec in topic_specs("v-settings", 3):
            resource = ConfigResource(ConfigResourceType.TOPIC, spec.name)
            [described] = admin.describe_configs([resource])["topic"].values()
            assert (
                spec.settings.items()
                <= {name: config["value"] for name, config in described.items()}.items()
            ), spec.name
            assert partitions[spec.name] in (spec.partitions, 4)  # 4: another test was first
    finally:
        admin.close()


def test_creating_topics_again_changes_nothing_and_a_new_model_adds_its_own(
    kafka: KafkaServer,
) -> None:
    create_topics(kafka.bootstrap_servers, "v-one")
    assert create_topics(kafka.bootstrap_servers, "v-one", partitions=9) == []
    assert set(create_topics(kafka.bootstrap_servers, "v-two")) == {
        "item-vectors.v-two",
        "user-vectors.v-two",
        "item-vectors.v-two.dlq",
        "user-vectors.v-two.dlq",
    }


def test_several_processes_may_create_topics_at_once(kafka: KafkaServer) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: create_topics(kafka.bootstrap_servers, "v-many"), range(4)))
    names = [name for names in made for name in names if "v-many" in name]
    assert sorted(names) == sorted(
        spec.name for spec in topic_specs("v-many", 4) if "v-many" in spec.name
    )


def test_without_kafka_it_is_unavailable() -> None:
    (port,) = free_ports(1)
    with pytest.raises(Unavailable, match=f"127.0.0.1:{port} accepts no connection"):
        create_topics(f"127.0.0.1:{port}", "v1")
