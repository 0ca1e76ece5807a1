"""The whole system on this machine: Kafka, Postgres and the five services, each a process."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from headrace.local.errors import LocalError
from headrace.local.home import token_secret
from headrace.local.kafka import EmbeddedKafka
from headrace.local.mail import LocalMail
from headrace.local.part import Part
from headrace.local.ports import HOST, Ports
from headrace.local.postgres import EmbeddedPostgres
from headrace.local.service import Service
from headrace.local.slots import SECOND_SLOT, ModelSlots, parts_of, service_of, slot_of
from headrace.local.supervisor import PartStatus, Supervisor
from headrace.runtime.topics import create_topics
from headrace.store.migrations import migrate

# In the order of the data's way, so that the last to start, the gateway, is the first to stop.
# None of them needs another one to start: each waits for those that it calls, or does without,
# as it must when they restart. Side by side they are ready soonest.
SERVICES = ("item_embedding", "event_ingest", "user_embedding", "ranker", "gateway")
_PARTS = frozenset({*SERVICES, *SECOND_SLOT})
_CHECKOUT = Path(__file__).parents[2]


def service_command(name: str) -> list[str]:
    """The service's own command."""
    return [sys.executable, "-m", f"services.{service_of(name)}"]


class LocalSystem:
    """Starts, stops, and lets each process be killed, terminated and started by its name.

    home: folder for the data and the logs of everything.
    bundle: folder of the model.
    api_key: a key with every scope.
    kafka_bootstrap_servers, database_url, smtp_url: servers to use instead of local ones.
    environment: more HEADRACE_* variables for the services.
    command_of: how to start the service of a name.
    """

    def __init__(
        self,
        home: Path,
        ports: Ports,
        bundle: Path,
        *,
        api_key: str,
        kafka_bootstrap_servers: str | None = None,
        database_url: str | None = None,
        smtp_url: str | None = None,
        environment: Mapping[str, str] | None = None,
        command_of: Callable[[str], Sequence[str]] = service_command,
        say: Callable[[str], None] = print,
    ) -> None:
        self.home = home.resolve()
        self.ports = ports
        self.bundle = bundle.resolve()
        self.logs = self.home / "logs"
        self.mails = self.home / "mails"
        self._api_key = api_key
        self._database_url = database_url
        self._environment = environment or {}
        self._command_of = command_of
        infrastructure: list[Part] = []
        self._postgres: EmbeddedPostgres | None = None
        if database_url is None:
            self._postgres = EmbeddedPostgres(
                self.home / "postgres", ports.local_postgres, self.logs / "postgres.log"
            )
            infrastructure.append(self._postgres)
        if kafka_bootstrap_servers is None:
            embedded = EmbeddedKafka(
                self.home / "kafka",
                ports.local_kafka,
                ports.local_kafka_controller,
                self.logs / "kafka.log",
                say,
            )
            infrastructure.append(embedded)
            kafka_bootstrap_servers = embedded.bootstrap_servers
        self.kafka_bootstrap_servers = kafka_bootstrap_servers
        self._infrastructure = Supervisor(infrastructure)
        self._mail = None if smtp_url else LocalMail(self.mails, ports.local_smtp, say)
        self._smtp_url = smtp_url or f"smtp://{HOST}:{ports.local_smtp}"
        self._services: Supervisor | None = None
        self._slots: ModelSlots | None = None

    @property
    def database_url(self) -> str:
        """DSN of Postgres. With the embedded one: known once it was started."""
        return self._database_url or self._embedded_postgres().dsn

    @property
    def keeps_mails(self) -> bool:
        """Whether mails go to the folder `mails` instead of to people."""
        return self._mail is not None

    @property
    def http_url(self) -> str:
        """Where the gateway answers HTTP."""
        return f"http://{HOST}:{self.ports.gateway_http}"

    def grpc_address(self, service: str) -> str:
        """host:port of a service's gRPC."""
        return f"{HOST}:{getattr(self.ports, f'{service}_grpc')}"

    def metrics_url(self, service: str) -> str:
        """Where a service serves Prometheus text."""
        return f"http://{HOST}:{getattr(self.ports, f'{service}_metrics')}/metrics"

    @property
    def model_version(self) -> str:
        """As in the bundle's manifest."""
        manifest = json.loads((self.bundle / "manifest.json").read_text(encoding="utf-8"))
        return str(manifest["model_version"])

    def start(self, *names: str) -> None:
        """Start everything, or start again what was killed or terminated; wait until ready.

        Raises LocalError. What was started before an error goes on until `stop`.
        """
        for name in names:
            self._supervisor_of(name).start([name])
        if not names:
            self.start_infrastructure()
            self.start_services()

    def start_infrastructure(self) -> None:
        """Start Kafka, Postgres and mail, and bring schema and topics to the present state."""
        if self._mail is not None:
            self._mail.start()
        self._infrastructure.start()
        migrate(self.database_url)
        create_topics(self.kafka_bootstrap_servers, self.model_version)

    def start_services(self) -> None:
        """Start the five services side by side, and a second model where one is released."""
        if self._services is None:
            self._services = Supervisor([self._service(n) for n in (*SECOND_SLOT, *SERVICES)])
            self._slots = ModelSlots(self._services, lambda: self.database_url)
        assert self._slots is not None
        self._slots.look()
        idle = self._slots.idle()
        self._services.start(name for name in (*SECOND_SLOT, *SERVICES) if name not in idle)
        self._slots.start()

    def stop(self) -> None:
        """Stop everything, the gateway first. The data stays. May be called again."""
        if self._slots is not None:
            self._slots.stop()
        if self._services is not None:
            self._services.stop()
        self._infrastructure.stop()
        if self._mail is not None:
            self._mail.stop()

    def terminate(self, name: str) -> int | None:
        """Stop one process gently; it stays down until `start`. Returns its exit code."""
        return self._supervisor_of(name).terminate(name)

    def kill(self, name: str) -> None:
        """SIGKILL one process; it stays down until `start`."""
        self._supervisor_of(name).kill(name)

    def pid(self, name: str) -> int | None:
        """None unless it runs. A process that is killed by its pid is started again."""
        return self._supervisor_of(name).pid(name)

    def status(self) -> list[PartStatus]:
        """Every process."""
        services = self._services.status() if self._services else []
        idle = self._slots.idle() if self._slots else set()
        running = [part for part in services if part.name not in idle]
        return [*self._infrastructure.status(), *running]

    def wait_ready(self, seconds: float = 60.0) -> bool:
        """Wait until every process is ready. False if that takes too long."""
        return self._infrastructure.wait_ready(seconds=seconds) and (
            self._services is None
            or self._services.wait_ready(
                [part.name for part in self.status() if part.name in _PARTS], seconds
            )
        )

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _embedded_postgres(self) -> EmbeddedPostgres:
        if self._postgres is None:
            raise LocalError("Postgres is not embedded here.")
        return self._postgres

    def _supervisor_of(self, name: str) -> Supervisor:
        if name in _PARTS:
            if self._services is None:
                raise LocalError(f"{name} was never started.")
            return self._services
        return self._infrastructure

    def _service(self, name: str) -> Service:
        # event_ingest has no gRPC; it is known by its metrics port.
        metrics_port: int = getattr(self.ports, f"{name}_metrics")
        port: int = getattr(self.ports, f"{name}_grpc", metrics_port)
        slot = slot_of(name)
        item_embedding, user_embedding, _ = parts_of(slot)
        env = {
            **os.environ,
            "HEADRACE_KAFKA_BOOTSTRAP_SERVERS": self.kafka_bootstrap_servers,
            "HEADRACE_DATABASE_URL": self.database_url,
            "HEADRACE_BUNDLE_URL": str(self.bundle),
            "HEADRACE_GRPC_PORT": str(port),
            "HEADRACE_METRICS_PORT": str(metrics_port),
            "HEADRACE_MODEL_SLOT": slot,
            "HEADRACE_USER_EMBEDDING_ADDRESS": self.grpc_address(user_embedding),
            "HEADRACE_ITEM_EMBEDDING_ADDRESS": self.grpc_address(item_embedding),
            "HEADRACE_RANKER_ADDRESS": self.grpc_address("ranker"),
            "HEADRACE_GREEN_RANKER_ADDRESS": self.grpc_address("green_ranker"),
            "HEADRACE_GREEN_ITEM_EMBEDDING_ADDRESS": self.grpc_address("green_item_embedding"),
            # Five processes share the cores: threads of numeric libraries would only wait for
            # each other.
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            **self._environment,
        }
        if name == "gateway":
            port = self.ports.gateway_http
            env["HEADRACE_HTTP_PORT"] = str(port)
            env["HEADRACE_SMTP_URL"] = self._smtp_url
            env.setdefault("HEADRACE_PUBLIC_URL", self.http_url)
            env["HEADRACE_TOKEN_KEYS"] = f"local:{token_secret(self.home)}"
            env["HEADRACE_API_KEYS"] = f"{self._api_key}:events+read+catalogue+admin"
        return Service(
            name,
            self._command_of(name),
            port=port,
            metrics_port=metrics_port,
            env=env,
            log_file=self.logs / f"{name}.log",
            cwd=_CHECKOUT,
        )
