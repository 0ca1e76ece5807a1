"""The objects of operators, held against the definitions that the operators install.

`make k8s-check CRDS=folder`, with their CustomResourceDefinitions in it as YAML: `kubectl get crd
--output yaml` of a cluster, or the files of a release. Not part of `make test`, which has neither.
"""

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from tests.integration.deploy.manifests import BUILDS, Object, built, name_of
from tests.integration.deploy.test_schemas import OF_OPERATORS

_BUILDS = (*BUILDS, "overlays/training-team")
_KEPT = {"required", "type", "enum", "pattern", "minimum", "maximum"}
_KEPT |= {"minLength", "maxLength", "minItems", "maxItems"}


@cache
def _schemas() -> dict[tuple[str, str], Any]:
    """By version and kind."""
    found = {}
    for definition in _definitions(Path(os.environ["HEADRACE_CRDS"])):
        spec = definition["spec"]
        for version in spec["versions"]:
            schema = _strict(version["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {"type": "object"}
            found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


def _definitions(folder: Path) -> Iterator[Object]:
    for path in folder.rglob("*.yaml"):
        # Some releases are templates: whole lines of them.
        text = re.sub(r"^\s*\{\{.*\n", "", path.read_text(encoding="utf-8"), flags=re.M)
        for document in yaml.load_all(text, Loader=yaml.CSafeLoader):
            for thing in (document or {}).get("items", [document]):
                if thing and thing["kind"] == "CustomResourceDefinition":
                    yield thing


def _strict(schema: Any) -> Any:
    """As JSON Schema; what a structural schema does not name is refused instead of dropped."""
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    made = {key: value for key, value in schema.items() if key in _KEPT}
    if "items" in schema:
        made["items"] = _strict(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        made["additionalProperties"] = _strict(schema["additionalProperties"])
    if "properties" in schema:
        made["properties"] = {name: _strict(one) for name, one in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            made.setdefault("additionalProperties", False)
    return made


@pytest.mark.parametrize("build", _BUILDS)
def test_every_object_of_an_operator_follows_its_definition(build: str) -> None:
    for thing in built(build):
        if thing["kind"] in OF_OPERATORS.get(thing["apiVersion"], ()):
            schema = _schemas().get((thing["apiVersion"], thing["kind"]))
            assert schema, f"no definition of {thing['kind']} {thing['apiVersion']}"
            wrong = [
                f"{'/'.join(map(str, error.path))}: {error.message}"
                for error in Draft7Validator(schema).iter_errors(thing)
            ]
            assert wrong == [], name_of(thing)
