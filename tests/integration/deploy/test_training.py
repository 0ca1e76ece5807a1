"""The nightly training is told what its command understands, and may do what it has to."""

import pytest

from headrace.commands import retrain
from tests.integration.deploy.manifests import BUILDS, Pod, of_kind, pods

pytestmark = pytest.mark.parametrize("build", BUILDS)


def _training(build: str) -> Pod:
    [pod] = [pod for pod in pods(build) if pod.owner["kind"] == "CronJob"]
    return pod


def test_its_command_takes_its_arguments(build: str) -> None:
    [container] = _training(build).containers
    module, command, *arguments = container["args"]
    assert (module, command) == ("headrace.cli", "retrain")
    given = retrain._parser().parse_args(arguments)
    assert given.exit_zero, "a model that is not better would be trained again at once"
    # Busy cores make a run late, and after a kill another pod has to start.
    deadline_s = _training(build).owner["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"]
    assert 60 * given.minutes <= 0.75 * deadline_s


def test_a_run_goes_on_in_another_pod(build: str) -> None:
    pod = _training(build)
    assert pod.owner["spec"]["jobTemplate"]["spec"]["backoffLimit"] > 0
    [container] = pod.containers
    given = retrain._parser().parse_args(container["args"][2:])
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    # A folder of the run alone: file systems put a lost+found at their root.
    mount = mounts[str(given.checkpoint.parent)]
    assert not mount.get("readOnly")
    [volume] = [one for one in pod.spec["volumes"] if one["name"] == mount["name"]]
    assert "persistentVolumeClaim" in volume


def test_what_it_makes_can_be_read_by_those_who_serve(build: str) -> None:
    pod = _training(build)
    [container] = pod.containers
    [settings] = [
        thing["data"] for thing in of_kind(build, "ConfigMap") if "new-bundles-url" in thing["data"]
    ]
    place = settings["new-bundles-url"]
    assert settings["bundle-url"].startswith(place)
    if place.startswith("s3://"):
        assert pod.labels["headrace/uses-object-storage"] == "true"
        assert {"secretRef": {"name": "headrace-s3"}} in container["envFrom"]
        return
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    assert not mounts[place].get("readOnly")
    [ranker] = [one for one in pods(build) if one.name == "Deployment/ranker"]
    theirs = {mount["mountPath"]: mount["name"] for mount in ranker.containers[0]["volumeMounts"]}
    assert theirs[place] == mounts[place]["name"]
