"""The same system on one host: variables are settings, files are there, ports are closed."""

import re
from dataclasses import MISSING, fields
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from headrace.commands.backup import BackupSettings
from headrace.commands.release import ProposeSettings
from headrace.local.slots import MODEL_SERVICES
from headrace.runtime.settings import PREFIX
from tests.integration.deploy.manifests import DEPLOY
from tests.integration.deploy.test_settings import SETTINGS

_COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
_PARTS: dict[str, dict[str, Any]] = _COMPOSE["services"]
_OURS = [name for name, part in _PARTS.items() if part.get("command", [""])[0] in SETTINGS]
_GREEN = "-green"
_SECOND_SLOT = {name.replace("_", "-") + _GREEN for name in MODEL_SERVICES}


def test_every_process_of_the_system_is_there() -> None:
    # On one host nothing trains by night.
    expected = SETTINGS.keys() - {"headrace.cli"}
    assert {_PARTS[name]["command"][0] for name in _OURS} == expected


@pytest.mark.parametrize("name", _OURS)
def test_variables_are_settings_and_none_without_default_is_missing(name: str) -> None:
    part = _PARTS[name]
    settings = {setting.name: setting for setting in fields(SETTINGS[part["command"][0]])}
    given = {
        variable.removeprefix(PREFIX).lower()
        for variable in part["environment"]
        if variable.startswith(PREFIX)
    }
    assert given <= settings.keys()
    assert {n for n, setting in settings.items() if setting.default is MISSING} <= given


@pytest.mark.parametrize("name", _OURS)
def test_addresses_name_a_part_and_its_port(name: str) -> None:
    for variable, value in _PARTS[name]["environment"].items():
        if variable.endswith("_ADDRESS"):
            callee, _, port = value.partition(":")
            module = _PARTS[callee]["command"][0]
            [known] = [s.default for s in fields(SETTINGS[module]) if s.name == "grpc_port"]
            assert int(port) == known


def test_attempts_are_counted_in_a_redis_that_the_gateway_does_not_wait_for() -> None:
    url = urlsplit(_PARTS["gateway"]["environment"]["HEADRACE_RATE_LIMITS_URL"])
    assert url.scheme == "redis"
    assert _PARTS[str(url.hostname)]["image"].startswith("redis:")
    assert url.hostname not in _PARTS["gateway"]["depends_on"]


@pytest.mark.parametrize("name", _PARTS)
def test_parts_are_pinned_bounded_and_open_to_this_host_alone(name: str) -> None:
    part = _PARTS[name]
    assert re.search(r":v?\d", part["image"]), part["image"]
    assert "mem_limit" in part or part.get("network_mode") == "none"
    for port in part.get("ports", ()):
        assert port.startswith("127.0.0.1:")
    for other in part.get("depends_on", ()):
        assert other in _PARTS


@pytest.mark.parametrize("name", _PARTS)
def test_what_is_mounted_is_there(name: str) -> None:
    for mount in _PARTS[name].get("volumes", ()):
        source = mount.split(":")[0]
        if source.startswith("."):
            assert (DEPLOY / source).exists(), source
        else:
            assert source in _COMPOSE["volumes"]


def test_the_second_slot_is_a_profile_that_nothing_else_needs() -> None:
    assert {n for n, part in _PARTS.items() if "release" in part.get("profiles", ())} == (
        _SECOND_SLOT
    )
    for name, part in _PARTS.items():
        assert not _SECOND_SLOT & set(part.get("depends_on", ())), name


@pytest.mark.parametrize("name", sorted(_SECOND_SLOT))
def test_a_part_of_the_second_slot_differs_in_its_slot_and_whom_it_asks(name: str) -> None:
    part, first = dict(_PARTS[name]), _PARTS[name.removesuffix(_GREEN)]
    variables, of_first = part.pop("environment"), first["environment"]
    assert part.pop("profiles") == ["release"]
    assert part == {key: value for key, value in first.items() if key != "environment"}
    assert variables == of_first | {"HEADRACE_MODEL_SLOT": "green"} | {
        variable: value.replace(":", f"{_GREEN}:")
        for variable, value in of_first.items()
        if variable.endswith("_ADDRESS")
    }


def test_the_gateway_finds_both_slots() -> None:
    variables = _PARTS["gateway"]["environment"]
    for callee in ("RANKER", "ITEM_EMBEDDING"):
        first = variables[f"HEADRACE_{callee}_ADDRESS"]
        assert variables[f"HEADRACE_GREEN_{callee}_ADDRESS"] == first.replace(":", f"{_GREEN}:")


@pytest.mark.parametrize("settings", [ProposeSettings, BackupSettings])
def test_the_command_of_operators_is_told_what_it_needs(settings: type) -> None:
    part = _PARTS["headrace"]
    assert part["entrypoint"] == ["python", "-m", "headrace.cli"]
    needed = {setting.name for setting in fields(settings) if setting.default is MISSING}
    assert {f"{PREFIX}{name.upper()}" for name in needed} <= part["environment"].keys()
    assert {"bundles:/bundles", "backups:/backups"} <= set(part["volumes"])
