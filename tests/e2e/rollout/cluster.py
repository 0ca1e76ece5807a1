"""A small stand-in for a cluster: pods with addresses, Services of the ready ones, rollouts.

A pod is a process on a loopback address of its own, so that all have the ports of their manifest.
Names are answered from a cache, as in a cluster: `kube-dns` lets answers be 30 s old by default.
"""

import http.client
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from headrace.local.child import Child, Command
from headrace.local.system import LocalSystem
from headrace.local.waiting import wait_until
from tests.e2e.rollout.manifest import Manifest
from tests.service_names import ServiceNames, loopback_network

_NAMES_STALE_S = 30.0
_TOLD_S = 1.0
"""Until everybody knows that a pod is on its way out."""
_START_S = 180.0  # the machine may be busy
_LOOK_S = 0.25
_CHECKOUT = Path(__file__).parents[3]


class Pod:
    """A process of a service."""

    def __init__(self, manifest: Manifest, address: str, child: Child) -> None:
        self.manifest = manifest
        self.address = address
        self.child = child
        self.leaves = False
        self.ready_since: float | None = None
        self._failures = 0
        self._next_probe = 0.0

    @property
    def name(self) -> str:
        return f"{self.manifest.name} at {self.address}"

    def probe(self) -> None:
        """As often as the manifest says."""
        now = time.monotonic()
        if now < self._next_probe:
            return
        self._next_probe = now + self.manifest.probe_every
        if self._answers():
            self._failures = 0
            self.ready_since = self.ready_since or now
        else:
            self._failures += 1
            if self._failures >= self.manifest.probe_failures:
                self.ready_since = None

    def available(self) -> bool:
        """Ready for as long as a rollout waits for."""
        since = self.ready_since
        return since is not None and time.monotonic() - since >= self.manifest.min_ready

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(
            self.address, self.manifest.ports["metrics"], timeout=2
        )
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class Cluster:
    """Runs every service with as many pods as its manifest says, while the block runs.

    stores: its Kafka and Postgres. variables: what manifests take from elsewhere.
    """

    def __init__(
        self,
        stores: LocalSystem,
        services: Mapping[str, Manifest],
        variables: Mapping[str, str],
    ) -> None:
        self.services = services
        self.exit_codes: dict[str, int] = {}
        """Of pods that ended, by name; -9: the grace period was over."""
        self._stores = stores
        self._variables = variables
        self._names = ServiceNames(_NAMES_STALE_S)
        self._network = loopback_network()
        self._numbers = count(1)
        self._pods: list[Pod] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._looks = threading.Thread(target=self._look, name="kubelet")
        self._leaving: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._names.__enter__()
        self._looks.start()
        try:
            for manifest in self.services.values():
                for _ in range(manifest.replicas):
                    self.start(manifest.name)
            for pod in self._pods:
                self._wait(pod, lambda pod=pod: pod.ready_since is not None)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    @property
    def database_url(self) -> str:
        return self._stores.database_url

    @property
    def model_version(self) -> str:
        return self._stores.model_version

    @property
    def http_url(self) -> str:
        """Of one gateway."""
        return f"http://{self.ready('gateway')[0]}:{self.services['gateway'].ports['http']}"

    def grpc_address(self, service: str) -> str:
        """As other pods know it."""
        name = service.replace("_", "-")
        return self._names.address(name, self.services[name].ports["grpc"])

    def ready(self, service: str) -> Sequence[str]:
        """Addresses that the Service has."""
        with self._lock:
            return [
                pod.address
                for pod in self._pods
                if pod.manifest.name == service and pod.ready_since is not None and not pod.leaves
            ]

    def start(self, service: str, **changed: str) -> Pod:
        """One more pod. changed: variables by name, less `HEADRACE_`."""
        manifest = self.services[service]
        number = next(self._numbers)
        address = f"{self._network}.{number}"
        addresses = {
            name: self._names.address(*_host_and_port(value))
            for name, value in manifest.variables.items()
            if name.endswith("_ADDRESS")
        }
        child = Child(
            Command(
                argv=[sys.executable, "-m", manifest.module],
                log_file=self._stores.logs / f"{service}-{number}.log",
                env={
                    **os.environ,
                    **self._variables,
                    **manifest.variables,
                    **addresses,
                    **{f"HEADRACE_{name}": value for name, value in changed.items()},
                    "HEADRACE_HOST": address,
                },
                cwd=_CHECKOUT,
            )
        )
        pod = Pod(manifest, address, child)
        with self._lock:
            self._pods.append(pod)
        return pod

    def roll(self, service: str) -> None:
        """Replaces each pod as `kubectl rollout restart` does: one more, then one less.

        Raises: AssertionError where a new one does not become ready.
        """
        for old in self._of(service):
            new = self.start(service)
            self._wait(new, new.available)
            self._begin_to_end(old)
        for thread in self._leaving:
            thread.join()
        self._leaving.clear()

    def forget(self, pod: Pod) -> None:
        """One that ended by itself."""
        with self._lock:
            self._pods.remove(pod)

    def _of(self, service: str) -> list[Pod]:
        with self._lock:
            return [pod for pod in self._pods if pod.manifest.name == service]

    def _wait(self, pod: Pod, condition: object) -> None:
        assert callable(condition)
        settled = wait_until(lambda: condition() or pod.child.exit_code is not None, _START_S)
        assert settled, f"{pod.name} is not ready:\n{pod.child.last_log_lines()}"
        assert pod.child.exit_code is None, f"{pod.name} ended:\n{pod.child.last_log_lines()}"

    def _begin_to_end(self, pod: Pod) -> None:
        thread = threading.Thread(target=self._ending, args=(pod,), name=f"end {pod.name}")
        thread.start()
        self._leaving.append(thread)

    def _ending(self, pod: Pod) -> None:
        deleted = time.monotonic()
        self._stop.wait(_TOLD_S)
        pod.leaves = True
        self._tell()
        self._stop.wait(pod.manifest.pre_stop - _TOLD_S)
        left = pod.manifest.grace - (time.monotonic() - deleted)
        self.exit_codes[pod.name] = pod.child.stop(left, signal.SIGTERM)
        self.forget(pod)

    def _look(self) -> None:
        while not self._stop.wait(_LOOK_S):
            with self._lock:
                pods = list(self._pods)
            for pod in pods:
                pod.probe()
            self._tell()

    def _tell(self) -> None:
        for service in self.services:
            self._names.put(service, self.ready(service))

    def _end(self) -> None:
        self._stop.set()
        self._looks.join()
        for thread in self._leaving:
            thread.join()
        for pod in list(self._pods):
            pod.child.send(signal.SIGTERM)
        for pod in list(self._pods):
            pod.child.stop(pod.manifest.grace)
        self._names.__exit__(None, None, None)


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.partition(":")
    return host, int(port)
