"""A service as deploy/k8s/base has it: as much of it as a rollout goes by."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.integration.deploy.manifests import Object, Pod, of_kind, pods

_BUILD = "base"


@dataclass(frozen=True)
class Manifest:
    """A Deployment, with its autoscaler's least number of replicas. Times in seconds.

    variables: those whose values stand in it; what comes from elsewhere is left out.
    """

    name: str
    module: str
    replicas: int
    ports: Mapping[str, int]
    variables: Mapping[str, str]
    probe_every: float
    probe_failures: int
    min_ready: float
    pre_stop: float
    grace: float


def services() -> dict[str, Manifest]:
    """By name."""
    replicas = {
        thing["spec"]["scaleTargetRef"]["name"]: thing["spec"]["minReplicas"]
        for thing in of_kind(_BUILD, "HorizontalPodAutoscaler")
    }
    return {
        pod.owner["metadata"]["name"]: _manifest(pod, replicas)
        for pod in pods(_BUILD)
        if pod.ours and pod.serves
    }


def _manifest(pod: Pod, replicas: Mapping[str, int]) -> Manifest:
    deployment = pod.owner["spec"]
    rolling = deployment["strategy"]["rollingUpdate"]
    assert (rolling["maxSurge"], rolling["maxUnavailable"]) == (1, 0), pod.name
    (container,) = pod.spec["containers"]
    probe = container["readinessProbe"]
    name = pod.owner["metadata"]["name"]
    return Manifest(
        name=name,
        module=container["args"][0],
        replicas=replicas[name],
        ports=pod.ports,
        variables=_variables(container),
        probe_every=probe["periodSeconds"],
        probe_failures=probe["failureThreshold"],
        min_ready=deployment.get("minReadySeconds", 0),
        pre_stop=container["lifecycle"]["preStop"]["sleep"]["seconds"],
        grace=pod.spec["terminationGracePeriodSeconds"],
    )


def _variables(container: Object) -> dict[str, str]:
    return {
        one["name"]: one["value"]
        for one in container["env"]
        if "value" in one and not one["name"].endswith("_FILE")
    }
