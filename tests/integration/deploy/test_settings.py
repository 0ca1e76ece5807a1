"""Every variable that a manifest sets is one that the process reads, and none is missing."""

from dataclasses import MISSING, fields
from typing import Any

import pytest

from headrace.commands.release import ProposeSettings
from headrace.runtime.create_topics import TopicSettings
from headrace.runtime.settings import PREFIX
from headrace.store.migrate import MigrateSettings
from services.event_ingest.settings import EventIngestSettings
from services.gateway.settings import GatewaySettings
from services.item_embedding.settings import ItemEmbeddingSettings
from services.ranker.settings import RankerSettings
from services.user_embedding.settings import UserEmbeddingSettings
from tests.integration.deploy.manifests import BUILDS, Object, Pod, of_kind, pods

SETTINGS: dict[str, type] = {
    "services.gateway": GatewaySettings,
    "services.event_ingest": EventIngestSettings,
    "services.user_embedding": UserEmbeddingSettings,
    "services.item_embedding": ItemEmbeddingSettings,
    "services.ranker": RankerSettings,
    "headrace.store.migrate": MigrateSettings,
    "headrace.runtime.create_topics": TopicSettings,
    "headrace.cli": ProposeSettings,
}
_WITHOUT = ("headrace.training.",)
"""Commands that are told everything by their arguments."""

_KEYS = {"api-keys", "database-url", "rate-limits-url", "smtp-url", "token-keys"}
"""Of the Secret `headrace`, as docs/operations.md lists them."""

pytestmark = pytest.mark.parametrize("build", BUILDS)


def test_every_process_of_ours_is_a_module_that_is_known(build: str) -> None:
    known = {_module(pod) for pod in _ours(build) if not _module(pod).startswith(_WITHOUT)}
    assert known == SETTINGS.keys()


def test_every_variable_is_a_setting_and_every_setting_without_default_is_set(build: str) -> None:
    for pod in _ours(build):
        named = {name for name in _variables(pod) if name.startswith(PREFIX)}
        if _module(pod).startswith(_WITHOUT):
            assert named == set(), pod.name
            continue
        settings = _fields(pod)
        given = {_setting(name, settings) for name in named}
        assert given <= settings.keys(), f"{pod.name}: no setting {given - settings.keys()}"
        required = {name for name, setting in settings.items() if setting.default is MISSING}
        assert required <= given, f"{pod.name}: not set: {required - given}"


def test_secrets_come_from_files_that_are_mounted(build: str) -> None:
    for pod in _ours(build):
        for name, variable in _variables(pod).items():
            if name.endswith("_FILE"):
                folder, _, file = variable["value"].rpartition("/")
                assert file in _mounted(pod, folder), f"{pod.name}: {variable['value']}"
        if not _module(pod).startswith(_WITHOUT):
            secret = {f"{PREFIX}{n.upper()}" for n, s in _fields(pod).items() if not s.repr}
            assert not secret & _variables(pod).keys(), f"{pod.name}: in its environment"


def test_ports_are_those_that_the_processes_open(build: str) -> None:
    for pod in _ours(build):
        if pod.serves:
            opened = {
                name.removesuffix("_port"): setting.default
                for name, setting in _fields(pod).items()
                if name.endswith("_port")
            }
            assert pod.ports == opened, pod.name


def test_addresses_name_a_service_and_its_port(build: str) -> None:
    there = {
        f"{service['metadata']['name']}:{port['port']}"
        for service in of_kind(build, "Service")
        for port in service["spec"]["ports"]
    }
    for pod in _ours(build):
        for name, variable in _variables(pod).items():
            if name.endswith("_ADDRESS"):
                assert variable["value"] in there, f"{pod.name}: {name}"


def _ours(build: str) -> list[Pod]:
    return [pod for pod in pods(build) if pod.ours]


def _module(pod: Pod) -> str:
    """What the last container runs; the image's entry point is `python -m`."""
    module: str = pod.containers[-1]["args"][0]
    return module


def _fields(pod: Pod) -> dict[str, Any]:
    return {setting.name: setting for setting in fields(SETTINGS[_module(pod)])}


def _variables(pod: Pod) -> dict[str, Object]:
    return {v["name"]: v for container in pod.containers for v in container.get("env", ())}


def _setting(variable: str, settings: dict[str, Any]) -> str:
    """Some settings are paths of files themselves."""
    name = variable.removeprefix(PREFIX).lower()
    return name if name in settings else name.removesuffix("_file")


def _mounted(pod: Pod, folder: str) -> set[str]:
    """Names of the files in a folder that is a volume of secrets."""
    names = {m["name"] for c in pod.containers for m in c["volumeMounts"]} & {
        m["name"] for c in pod.containers for m in c["volumeMounts"] if m["mountPath"] == folder
    }
    files: set[str] = set()
    for volume in (volume for volume in pod.spec["volumes"] if volume["name"] in names):
        sources = volume.get("projected", {}).get("sources") or [volume]
        for source in sources:
            # Without `items`, every key is a file.
            items = source["secret"].get("items")
            files |= _KEYS if items is None else {item["path"] for item in items}
    return files
