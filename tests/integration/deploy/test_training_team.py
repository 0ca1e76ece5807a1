"""Training on several nodes: Jobs that Kubernetes takes, commands that their programs take."""

from argparse import Namespace
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from torch.distributed.run import get_args_parser

from headrace.training import prepare, train
from tests.integration.deploy.manifests import Object, built, name_of

_BUILD = "overlays/training-team"


def _jobs() -> dict[str, Object]:
    """By name, as JobSet makes them."""
    [job_set] = [thing for thing in built(_BUILD) if thing["kind"] == "JobSet"]
    return {
        job["name"]: {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": job["name"]},
            "spec": job["template"]["spec"],
        }
        for job in job_set["spec"]["replicatedJobs"]
    }


def _pod(job: Object) -> Any:
    return job["spec"]["template"]["spec"]


def _prepare() -> Namespace:
    """What the first Job is told."""
    [container] = _pod(_jobs()["prepare"])["containers"]
    module, *arguments = container["args"]
    assert module == "headrace.training.prepare"
    return prepare._parser().parse_args(arguments)


def _train() -> Namespace:
    """What each member is told."""
    [container] = _pod(_jobs()["members"])["containers"]
    arguments = container["args"]
    return train._parser().parse_args(arguments[arguments.index("headrace.training.train") + 1 :])


@pytest.mark.parametrize("name", ["prepare", "members"])
def test_each_job_is_what_kubernetes_takes_and_has_no_privilege(name: str) -> None:
    job = _jobs()[name]
    kubernetes_validate.validate(job, kubernetes_validate.latest_version(), strict=True)
    pod = _pod(job)
    [container] = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"cpu", "memory"} <= container["resources"]["limits"].keys()
    assert any(digit.isdigit() for digit in container["image"].rpartition(":")[2])


def test_the_team_is_as_large_as_its_members_are_told() -> None:
    members = _jobs()["members"]
    [container] = _pod(members)["containers"]
    module, *arguments = container["args"]
    assert module == "torch.distributed.run"
    # Kubernetes puts the member's number in its place.
    assert "--node-rank=$(JOB_COMPLETION_INDEX)" in arguments
    told = get_args_parser().parse_args(
        [argument.replace("$(JOB_COMPLETION_INDEX)", "1") for argument in arguments]
    )
    assert int(told.nnodes) == members["spec"]["completions"] == members["spec"]["parallelism"]
    assert told.master_addr == "training-team-members-0-0.training-team"
    assert told.module is True
    assert told.training_script == "headrace.training.train"
    train._parser().parse_args(told.training_script_args)


def test_members_train_on_what_was_prepared_first() -> None:
    [job_set] = [thing for thing in built(_BUILD) if thing["kind"] == "JobSet"]
    first, second = job_set["spec"]["replicatedJobs"]
    assert second["dependsOn"] == [{"name": first["name"], "status": "Complete"}]
    given, told = _prepare(), _train()
    assert given.out == told.prepared


def test_members_that_begin_again_find_what_they_had_and_another_training_finds_nothing() -> None:
    """JobSet makes every Job anew, the one that prepares too: other data would not fit the
    checkpoint."""
    given, told = _prepare(), _train()
    assert given.once
    own = Path("/bundles/training-team/$(RUN)")
    assert {given.out.parent, told.checkpoint.parent, told.out.parent} == {own}
    for job in _jobs().values():
        [container] = _pod(job)["containers"]
        [run] = [variable for variable in container["env"] if variable["name"] == "RUN"]
        label = "metadata.labels['jobset.sigs.k8s.io/jobset-uid']"
        assert run["valueFrom"] == {"fieldRef": {"fieldPath": label}}


def test_what_it_needs_of_the_system_is_there() -> None:
    there = {name_of(thing) for thing in built("base")}
    for job in _jobs().values():
        assert f"ServiceAccount/{_pod(job)['serviceAccountName']}" in there
        for volume in _pod(job)["volumes"]:
            claim = volume.get("persistentVolumeClaim")
            assert claim is None or f"PersistentVolumeClaim/{claim['claimName']}" in there
