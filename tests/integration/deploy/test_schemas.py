"""Every object of every overlay is what Kubernetes takes, and points at objects that are there."""

from collections import Counter

import kubernetes_validate
import pytest

from tests.integration.deploy.manifests import (
    BUILDS,
    DEPLOY,
    Object,
    built,
    name_of,
    of_kind,
    pods,
    selected,
)

# Kubernetes has no schema of what operators add; given theirs, with_operators.py checks it.
OF_OPERATORS = {
    "cert-manager.io/v1": {"Certificate", "Issuer"},
    "jobset.x-k8s.io/v1alpha2": {"JobSet"},
    "keda.sh/v1alpha1": {"ScaledObject", "TriggerAuthentication"},
    "kafka.strimzi.io/v1": {"Kafka", "KafkaNodePool", "KafkaUser"},
    "postgresql.cnpg.io/v1": {"Cluster"},
}
# Made by whoever runs the cluster: docs/operations.md.
_GIVEN_SECRETS = {"headrace", "headrace-s3", "gateway-certificate"}
# Made by operators for what they keep.
_GIVEN_SECRETS |= {"headrace-postgres-app", "headrace-postgres-ca"}
_GIVEN_SECRETS |= {"headrace-services", "headrace-cluster-ca-cert"}


@pytest.mark.parametrize("build", [*BUILDS, "overlays/training-team"])
def test_every_object_follows_the_schema_of_its_kind(build: str) -> None:
    things = built(build)
    assert len(things) > (40 if build in BUILDS else 1)
    for thing in things:
        if thing["kind"] not in OF_OPERATORS.get(thing["apiVersion"], ()):
            kubernetes_validate.validate(thing, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("build", BUILDS)
def test_no_two_objects_share_a_name_and_all_are_in_the_namespace(build: str) -> None:
    twice = [name for name, count in Counter(map(name_of, built(build))).items() if count > 1]
    assert twice == []
    elsewhere = [
        name_of(thing)
        for thing in built(build)
        if thing["kind"] != "Namespace" and thing["metadata"].get("namespace") != "headrace"
    ]
    assert elsewhere == []


def test_the_source_has_one_object_a_file() -> None:
    for path in (DEPLOY / "k8s").rglob("*.yaml"):
        assert path.read_text().count("\nkind:") + path.read_text().startswith("kind:") <= 1, path


@pytest.mark.parametrize("build", BUILDS)
def test_selectors_match_pods(build: str) -> None:
    for pod in pods(build):
        if pod.serves:
            assert pod.owner["spec"]["selector"]["matchLabels"].items() <= pod.labels.items()
    for service in of_kind(build, "Service"):
        found = selected(build, service["spec"]["selector"])
        # Prometheus asks both slots of a service; callers one.
        assert len(found) == 1 or service["metadata"]["name"].endswith("-metrics")
        for pod in found:
            for port in service["spec"]["ports"]:
                assert port["targetPort"] in pod.ports, f"{name_of(service)}: {port['name']}"
    for budget in of_kind(build, "PodDisruptionBudget"):
        assert selected(build, budget["spec"]["selector"]["matchLabels"]), name_of(budget)
    workloads = {thing["metadata"]["name"] for thing in of_kind(build, "Deployment")}
    for scaler in of_kind(build, "HorizontalPodAutoscaler", "ScaledObject"):
        assert scaler["spec"]["scaleTargetRef"]["name"] in workloads, name_of(scaler)


@pytest.mark.parametrize("build", BUILDS)
def test_what_pods_refer_to_is_there(build: str) -> None:
    there = {name_of(thing) for thing in built(build)}
    there |= {f"Secret/{name}" for name in _GIVEN_SECRETS}
    there |= {f"Secret/{made['spec']['secretName']}" for made in of_kind(build, "Certificate")}
    for pod in pods(build):
        wanted = {f"ServiceAccount/{pod.spec['serviceAccountName']}", *_volumes(pod.spec)}
        for container in pod.containers:
            wanted |= _variables(container)
        assert wanted <= there, f"{pod.name}: {wanted - there}"


@pytest.mark.parametrize("build", BUILDS)
def test_what_is_mounted_is_a_volume_and_every_volume_is_mounted(build: str) -> None:
    for pod in pods(build):
        volumes = {volume["name"] for volume in pod.spec.get("volumes", ())}
        volumes |= {
            claim["metadata"]["name"] for claim in pod.owner["spec"].get("volumeClaimTemplates", ())
        }
        mounted = {
            mount["name"]
            for container in pod.containers
            for mount in container.get("volumeMounts", ())
        }
        assert volumes == mounted, pod.name


def _volumes(spec: Object) -> set[str]:
    found = set()
    for volume in spec.get("volumes", ()):
        if "configMap" in volume:
            found.add(f"ConfigMap/{volume['configMap']['name']}")
        if "secret" in volume:
            found.add(f"Secret/{volume['secret']['secretName']}")
        if "persistentVolumeClaim" in volume:
            found.add(f"PersistentVolumeClaim/{volume['persistentVolumeClaim']['claimName']}")
        for source in volume.get("projected", {}).get("sources", ()):
            found.add(f"Secret/{source['secret']['name']}")
    return found


def _variables(container: Object) -> set[str]:
    found = {f"Secret/{source['secretRef']['name']}" for source in container.get("envFrom", ())}
    for variable in container.get("env", ()):
        origin = variable.get("valueFrom", {})
        if "configMapKeyRef" in origin:
            found.add(f"ConfigMap/{origin['configMapKeyRef']['name']}")
        if "secretKeyRef" in origin:
            found.add(f"Secret/{origin['secretKeyRef']['name']}")
    return found
