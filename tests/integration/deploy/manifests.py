"""The objects that kustomize makes of an overlay, and the pods that they start."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[3] / "deploy"
BUILDS = ("base", "overlays/local", "overlays/production")

Object = dict[str, Any]

_WORKLOADS = ("Deployment", "StatefulSet", "Job", "CronJob")


def kubectl() -> str:
    """The program; it comes with the Python environment."""
    found = shutil.which("kubectl", path=str(Path(sys.executable).parent)) or shutil.which(
        "kubectl"
    )
    assert found, "kubectl is missing: run `make setup`"
    return found


@cache
def built(build: str) -> Sequence[Object]:
    """The objects of a folder under `deploy/k8s`."""
    run = subprocess.run(
        [kubectl(), "kustomize", str(DEPLOY / "k8s" / build)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return [document for document in yaml.load_all(run.stdout, Loader=yaml.CSafeLoader) if document]


def of_kind(build: str, *kinds: str) -> list[Object]:
    return [thing for thing in built(build) if thing["kind"] in kinds]


def name_of(thing: Object) -> str:
    """As in a message: `Deployment/ranker`."""
    return f"{thing['kind']}/{thing['metadata']['name']}"


@dataclass(frozen=True)
class Pod:
    """A template of pods, and the object that it is from."""

    owner: Object
    template: Object

    @property
    def name(self) -> str:
        return name_of(self.owner)

    @property
    def spec(self) -> Object:
        spec: Object = self.template["spec"]
        return spec

    @property
    def labels(self) -> dict[str, str]:
        labels: dict[str, str] = self.template["metadata"]["labels"]
        return labels

    @property
    def ours(self) -> bool:
        """Whether it runs an image of Headrace."""
        return all("headrace/" in container["image"] for container in self.containers)

    @property
    def serves(self) -> bool:
        return self.owner["kind"] in ("Deployment", "StatefulSet")

    @property
    def containers(self) -> list[Object]:
        return [*self.spec.get("initContainers", ()), *self.spec["containers"]]

    @property
    def ports(self) -> dict[str, int]:
        """Numbers by name."""
        return {
            port["name"]: port["containerPort"]
            for container in self.spec["containers"]
            for port in container.get("ports", ())
        }


def pods(build: str) -> Iterator[Pod]:
    """Every template of pods in a build."""
    for thing in of_kind(build, *_WORKLOADS):
        spec = thing["spec"]
        if thing["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        yield Pod(thing, spec["template"])


def selected(build: str, selector: dict[str, str]) -> list[Pod]:
    """The pods that carry all of these labels."""
    return [pod for pod in pods(build) if selector.items() <= pod.labels.items()]


def variable_of_pods(build: str, name: str) -> dict[str, str]:
    """The values of an environment variable, by the pods that have it."""
    return {
        pod.name: variable["value"]
        for pod in pods(build)
        for container in pod.containers
        for variable in container.get("env", ())
        if variable["name"] == name
    }


def base_with(component: str, folder: Path) -> str:
    """A build of the base and one component, in a folder of its own."""

    def path(name: str) -> str:
        return os.path.relpath(DEPLOY / "k8s" / name, folder)

    (folder / "kustomization.yaml").write_text(
        f"resources: [{path('base')}]\ncomponents: [{path(f'components/{component}')}]\n"
    )
    return os.path.relpath(folder, DEPLOY / "k8s")
