"""What every pod of every overlay must keep to."""

import pytest

from tests.integration.deploy.manifests import (
    BUILDS,
    Object,
    Pod,
    built,
    name_of,
    of_kind,
    pods,
    selected,
)

pytestmark = pytest.mark.parametrize("build", BUILDS)

NAMES_KEPT_S = 30
"""By the cache in front of a cluster's name server, as kubeadm sets it up."""


def test_images_are_pinned(build: str) -> None:
    for pod in pods(build):
        for container in pod.containers:
            name, _, tag = container["image"].rpartition(":")
            assert name, f"{pod.name}: {container['image']} has no version"
            assert tag != "latest", f"{pod.name}: {container['image']}"
            assert any(letter.isdigit() for letter in tag), f"{pod.name}: {container['image']}"


def test_memory_and_cpu_are_asked_for_and_limited(build: str) -> None:
    for pod in pods(build):
        for container in pod.containers:
            resources = container["resources"]
            for side in ("requests", "limits"):
                assert {"cpu", "memory"} <= resources[side].keys(), f"{pod.name}: {side}"


def test_no_pod_has_a_privilege_or_a_token(build: str) -> None:
    for pod in pods(build):
        assert pod.spec["automountServiceAccountToken"] is False, pod.name
        assert not pod.spec.keys() & {"hostNetwork", "hostPID", "hostIPC"}, pod.name
        context = pod.spec["securityContext"]
        assert context["runAsNonRoot"] is True, pod.name
        assert context["runAsUser"] > 0, pod.name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, pod.name
        for volume in pod.spec.get("volumes", ()):
            assert "hostPath" not in volume, pod.name
        for container in pod.containers:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, pod.name
    for account in of_kind(build, "ServiceAccount"):
        assert account["automountServiceAccountToken"] is False, name_of(account)
    [namespace] = of_kind(build, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_scratch_space_is_bounded(build: str) -> None:
    for pod in pods(build):
        for volume in pod.spec.get("volumes", ()):
            assert "sizeLimit" in volume.get("emptyDir", {"sizeLimit": ""}), pod.name


def test_what_serves_is_probed_for_readiness_and_for_life(build: str) -> None:
    for pod in pods(build):
        for container in pod.spec["containers"] if pod.serves else ():
            readiness, liveness = container["readinessProbe"], container["livenessProbe"]
            if pod.ours:
                assert readiness["httpGet"] == {"path": "/readyz", "port": "metrics"}
                assert liveness["httpGet"] == {"path": "/healthz", "port": "metrics"}
            patience_s = liveness["periodSeconds"] * liveness.get("failureThreshold", 3)
            assert patience_s >= 60, f"{pod.name}: a busy minute is no reason to restart"


def test_our_services_roll_out_without_a_gap_and_spread(build: str) -> None:
    for pod in _services(build):
        strategy = pod.owner["spec"]["strategy"]["rollingUpdate"]
        assert strategy == {"maxSurge": 1, "maxUnavailable": 0}, pod.name
        assert {spread["topologyKey"] for spread in pod.spec["topologySpreadConstraints"]} == {
            "kubernetes.io/hostname",
            "topology.kubernetes.io/zone",
        }, pod.name
    budgets = {thing["metadata"]["name"] for thing in of_kind(build, "PodDisruptionBudget")}
    assert budgets == {pod.owner["metadata"]["name"] for pod in _services(build)}


def test_stopping_has_the_time_that_draining_takes(build: str) -> None:
    for pod in _services(build):
        [container] = pod.spec["containers"]
        before = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        draining_s = 10  # HEADRACE_SHUTDOWN_GRACE_S
        assert pod.spec["terminationGracePeriodSeconds"] >= before + 2 * draining_s, pod.name


def test_a_pod_leaves_once_its_callers_can_know_the_next_one(build: str) -> None:
    by_name = {
        pod.name
        for service in of_kind(build, "Service")
        if service["spec"].get("clusterIP") == "None"
        and "grpc" in {port["name"] for port in service["spec"]["ports"]}
        for pod in selected(build, service["spec"]["selector"])
        if pod.ours
    }
    assert len(by_name) >= 3
    for pod in _services(build):
        least = NAMES_KEPT_S if pod.name in by_name else 0
        assert pod.owner["spec"].get("minReadySeconds", 0) >= least, pod.name


def test_each_service_is_scaled_by_one_scaler_and_consumers_stay_within_partitions(
    build: str,
) -> None:
    scalers = of_kind(build, "HorizontalPodAutoscaler", "ScaledObject")
    targets = [scaler["spec"]["scaleTargetRef"]["name"] for scaler in scalers]
    assert sorted(targets) == sorted(pod.owner["metadata"]["name"] for pod in _services(build))
    for pod in _services(build):
        assert "replicas" not in pod.owner["spec"], f"{pod.name}: applying would undo the scaler"
    [settings] = [
        thing for thing in of_kind(build, "ConfigMap") if "topic-partitions" in thing["data"]
    ]
    for scaler in scalers:
        target = scaler["spec"]["scaleTargetRef"]["name"].removesuffix("-green")
        if target in ("event-ingest", "user-embedding"):
            most = scaler["spec"].get("maxReplicas") or scaler["spec"]["maxReplicaCount"]
            assert most <= int(settings["data"]["topic-partitions"]), name_of(scaler)


def test_secrets_are_files(build: str) -> None:
    for pod in pods(build):
        if pod.ours and pod.serves:
            for variable in (v for c in pod.containers for v in c["env"]):
                assert "secretKeyRef" not in variable.get("valueFrom", {}), pod.name


def test_whatever_is_not_named_is_denied(build: str) -> None:
    policies = {thing["metadata"]["name"]: thing["spec"] for thing in _policies(build)}
    everything = {"matchLabels": {"app.kubernetes.io/part-of": "headrace"}}
    assert policies["default-deny"] == {
        "podSelector": everything,
        "policyTypes": ["Ingress", "Egress"],
    }
    for pod in pods(build):
        assert everything["matchLabels"].items() <= pod.labels.items(), pod.name
    for name, spec in policies.items():
        for rule in spec.get("ingress", ()):
            assert rule.get("from"), f"NetworkPolicy/{name} lets everybody in"


@pytest.mark.parametrize(
    ("caller", "callee"),
    [
        ("gateway", "ranker"),
        ("gateway", "item-embedding"),
        ("ranker", "user-embedding"),
        ("user-embedding", "item-embedding"),
    ],
)
def test_who_calls_whom_is_open_on_both_sides(build: str, caller: str, callee: str) -> None:
    policies = {thing["metadata"]["name"]: thing["spec"] for thing in _policies(build)}
    names = "app.kubernetes.io/name"
    let_in = [
        peer["podSelector"]["matchLabels"][names]
        for rule in policies[callee]["ingress"]
        for peer in rule["from"]
    ]
    let_out = [
        peer["podSelector"]["matchLabels"][names]
        for rule in policies[caller]["egress"]
        for peer in rule["to"]
    ]
    assert caller in let_in
    assert callee in let_out


def test_a_pod_is_let_out_to_the_stores_that_it_is_told_of_and_to_no_other(build: str) -> None:
    stores = {
        "headrace/uses-kafka": "HEADRACE_KAFKA_BOOTSTRAP_SERVERS",
        "headrace/uses-postgres": "HEADRACE_DATABASE_URL_FILE",
    }
    for pod in pods(build):
        told = {v["name"] for c in pod.containers for v in c.get("env", ())}
        for label, variable in stores.items():
            assert (pod.labels.get(label) == "true") == (variable in told), f"{pod.name}: {label}"
        if build == "overlays/production":
            out = pod.labels.get("headrace/uses-object-storage") == "true"
            assert out or "HEADRACE_BUNDLE_URL" not in told, f"{pod.name}: bundles are in S3"


def test_whoever_uses_kafka_or_postgres_in_production_is_encrypted(build: str) -> None:
    if build != "overlays/production":
        return
    uses = {"HEADRACE_KAFKA_BOOTSTRAP_SERVERS": "HEADRACE_KAFKA_CA_FILE"}
    uses |= {"HEADRACE_DATABASE_URL_FILE": "HEADRACE_DATABASE_CA_FILE"}
    for pod in pods(build):
        variables = {v["name"] for c in pod.containers for v in c.get("env", ())}
        for store, authority in uses.items():
            assert store not in variables or authority in variables, f"{pod.name}: {authority}"
    for scaler in of_kind(build, "ScaledObject"):
        trigger = scaler["spec"]["triggers"][0]
        assert trigger["metadata"]["tls"] == "enable", name_of(scaler)
        [servers] = [
            thing["data"]["kafka-bootstrap-servers"]
            for thing in of_kind(build, "ConfigMap")
            if "kafka-bootstrap-servers" in thing["data"]
        ]
        assert trigger["metadata"]["bootstrapServers"] == servers, name_of(scaler)
        assert trigger["authenticationRef"]["name"] in [
            thing["metadata"]["name"] for thing in of_kind(build, "TriggerAuthentication")
        ]


def test_nothing_that_serves_waits_for_prometheus(build: str) -> None:
    # It asks the services. Whoever could ask it would be a caller of its network policy.
    watching = ("prometheus", "grafana")
    callers = [
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
        for policy in _policies(build)
        if policy["metadata"]["name"] == "prometheus"
        for rule in policy["spec"].get("ingress", ())
        for peer in rule["from"]
    ]
    assert set(callers) <= {"grafana"}
    for pod in pods(build):
        if pod.ours:
            told = str([container.get("env") for container in pod.containers])
            assert not any(name in told for name in watching), pod.name


def test_certificates_are_of_who_is_called_and_of_who_may_call(build: str) -> None:
    names = {
        thing["spec"]["secretName"]: thing["spec"]["dnsNames"]
        for thing in of_kind(build, "Certificate")
        if not thing["spec"].get("isCA")
    }
    if build == "overlays/production":
        assert len(names) == 4
    used: set[str] = set()
    for pod in _services(build):
        for volume in pod.spec["volumes"]:
            if volume["name"] == "certificate":
                secret = volume["secret"]["secretName"]
                used.add(secret)
                assert pod.owner["metadata"]["name"] in names[secret], pod.name
    assert used == names.keys(), "nobody uses it"


def test_nothing_secret_is_in_what_production_is_built_from(build: str) -> None:
    secrets = [name_of(thing) for thing in built(build) if thing["kind"] == "Secret"]
    assert not secrets or build == "overlays/local"


def _services(build: str) -> list[Pod]:
    return [pod for pod in pods(build) if pod.ours and pod.serves]


def _policies(build: str) -> list[Object]:
    return of_kind(build, "NetworkPolicy")
