from pathlib import Path

from headrace.local.kafka_config import server_properties


def test_kafka_is_one_quiet_node_on_loopback() -> None:
    lines = server_properties(Path("/data"), "127.0.0.1", 1001, 1002).splitlines()
    assert "listeners=PLAINTEXT://127.0.0.1:1001,CONTROLLER://127.0.0.1:1002" in lines
    assert "controller.quorum.voters=1@127.0.0.1:1002" in lines
    assert "log.dirs=/data" in lines
    assert "auto.create.topics.enable=false" in lines
    assert "group.initial.rebalance.delay.ms=0" in lines
