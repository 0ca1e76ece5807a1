"""Kafka's settings for one node on a small machine. Meanings: kafka.apache.org/43/configuration."""

from pathlib import Path

_ONE_NODE = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "offsets.topic.num.partitions": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
}
_BEHAVIOUR = {
    # Topics are made on purpose, with the partitions that they keep for life.
    "auto.create.topics.enable": "false",
    # Nobody else is about to join a group here, so its first member need not wait.
    "group.initial.rebalance.delay.ms": 0,
    # After a crash the node waits this long for its former self to expire; 9000 is the default.
    "broker.session.timeout.ms": 3_000,
    "broker.heartbeat.interval.ms": 1_000,
}
_SMALL = {
    "num.network.threads": 1,
    "num.io.threads": 2,
    "num.replica.fetchers": 1,
    "num.recovery.threads.per.data.dir": 2,
    "background.threads": 2,
    "group.coordinator.threads": 1,
    # The cleaner takes its buffer from the heap at once; 128 MB is the default.
    "log.cleaner.dedupe.buffer.size": 4_194_304,
    "log.cleaner.io.buffer.size": 131_072,
    "log.segment.bytes": 67_108_864,
    "log.index.size.max.bytes": 1_048_576,
    "offsets.topic.segment.bytes": 16_777_216,
    "metadata.log.segment.bytes": 67_108_864,
    # An idle node writes a no-op this often; 500 is the default.
    "metadata.max.idle.interval.ms": 5_000,
}


def server_properties(log_dir: Path, host: str, port: int, controller_port: int) -> str:
    """The text of `server.properties`."""
    where = {
        "log.dirs": log_dir,
        "listeners": f"PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{host}:{port}",
        # Voters named here, not kept in the log: the ports may change between two starts.
        "controller.quorum.voters": f"1@{host}:{controller_port}",
    }
    settings: dict[str, object] = {**_ONE_NODE, **_BEHAVIOUR, **_SMALL, **where}
    return "".join(f"{name}={value}\n" for name, value in settings.items())
