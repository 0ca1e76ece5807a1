"""Every service is replaced under load, pod by pod as its manifest says, and nobody notices.

HEADRACE_ROLLOUT_RATE: lists a second, and as many clicks. 200 is what is promised, on two cores of
which nobody else uses any; the default leaves room for others.
"""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.report import percentiles_ms, print_table
from headrace.bundle import Bundle
from headrace.errors import FailedPrecondition
from headrace.local.waiting import wait_until
from headrace.store.migrations import SCHEMA, migrate
from tests.e2e.rollout.cluster import Cluster, Pod
from tests.e2e.rollout.load import Load, Phase
from tests.e2e.visitor import Client

pytestmark = [pytest.mark.long, pytest.mark.timeout(1_800)]

RATE = float(os.environ.get("HEADRACE_ROLLOUT_RATE", "20"))
PEOPLE, ITEMS = 40, 60
ORDER = ("event-ingest", "item-embedding", "user-embedding", "ranker", "gateway")
_STEADY_S = 15.0
_TRIES = 5
_MEANWHILE = 40
"""So many lists are to come while something is wrong."""


async def test_every_service_is_rolled_and_no_list_and_no_click_is_lost(
    cluster: Cluster, bundle: Bundle
) -> None:
    assert set(ORDER) == set(cluster.services)
    load = Load(cluster, RATE, PEOPLE, ITEMS)
    load.begin("warm-up")
    async with load.going():
        await asyncio.sleep(_STEADY_S)
        load.begin("steady")
        await asyncio.sleep(_STEADY_S)
        for service in ORDER:
            load.begin(service)
            await asyncio.to_thread(cluster.roll, service)
        load.begin("after")
        await asyncio.sleep(_STEADY_S)
    show(load.phases)
    assert {phase.name: phase.failures for phase in load.phases if phase.failures} == {}
    assert {phase.name: phase.degraded for phase in load.phases if phase.degraded} == {}
    assert len(cluster.exit_codes) == sum(one.replicas for one in cluster.services.values())
    assert set(cluster.exit_codes.values()) == {0}, cluster.exit_codes
    await asyncio.to_thread(assert_every_click_counts, cluster, bundle, load.accepted)


async def test_pods_with_a_wrong_secret_never_serve_and_those_before_them_go_on(
    cluster: Cluster,
) -> None:
    before = {service: cluster.ready(service) for service in cluster.services}
    load = Load(cluster, RATE, PEOPLE, ITEMS)
    load.begin("with a wrong secret")
    async with load.going():
        gateway = cluster.start("gateway", API_KEYS="hunter2:events")
        nowhere = "postgresql://headrace:wrong@127.0.0.1:1/headrace"
        ranker = cluster.start("ranker", DATABASE_URL=nowhere)
        assert await asyncio.to_thread(gateway.child.wait, 60)
        assert await asyncio.to_thread(wait_until, lambda: tries(ranker) >= _TRIES, 120)
        await load.until_answered(_MEANWHILE)
        assert {service: cluster.ready(service) for service in cluster.services} == before
        ranker.child.kill()
    assert gateway.child.exit_code == 2
    assert "HEADRACE_API_KEYS=…" in gateway.child.last_log_lines()
    assert "hunter2" not in gateway.child.log_file.read_text(encoding="utf-8")
    for pod in (gateway, ranker):
        cluster.forget(pod)
    assert load.phases[0].failures == []


async def test_a_migration_that_fails_halfway_leaves_the_old_version_serving(
    cluster: Cluster, tmp_path: Path
) -> None:
    for path in SCHEMA.iterdir():
        if path.name.endswith(".sql"):
            (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "9999_half.sql").write_text(
        "ALTER TABLE interactions ADD COLUMN half int; DROP TABLE rebuild_steps; SELECT 1 / 0"
    )
    load = Load(cluster, RATE, PEOPLE, ITEMS)
    load.begin("half a migration")
    async with load.going():
        for _ in range(3):
            with pytest.raises(FailedPrecondition, match=r"9999_half\.sql"):
                await asyncio.to_thread(migrate, cluster.database_url, tmp_path)
            await load.until_answered(_MEANWHILE)
    assert load.phases[0].failures == []
    assert load.phases[0].clicks > 0


def tries(ranker: Pod) -> int:
    """How often it asked in vain what it is to run."""
    log = ranker.child.log_file.read_text(encoding="utf-8")
    return log.count("the registry of releases cannot be read yet")


def assert_every_click_counts(cluster: Cluster, bundle: Bundle, accepted: Sequence[str]) -> None:
    """Stored once each, and in the vectors of those who clicked."""
    client = Client(cluster)
    client.until_applied("person-", len(accepted), deadline_s=120)
    client.assert_each_stored_once("person-", len(accepted))
    stored = client.rows("SELECT event_id FROM interactions WHERE user_id LIKE %s", "person-%")
    assert {event_id for (event_id,) in stored} == set(accepted)
    for person in range(PEOPLE):
        user_id = f"person-{person}"
        served = client.served_vector(user_id)
        np.testing.assert_allclose(
            served, client.replayed_vector(bundle, user_id), atol=1e-5, rtol=0
        )
    client.close()


def show(phases: Sequence[Phase]) -> None:
    """Prints what people met with while each service was rolled."""
    (steady,) = (phase for phase in phases if phase.name == "steady")
    usual = percentiles_ms(steady.seconds)[2]
    rows: list[list[object]] = []
    for phase in phases:
        p50, _, p99 = percentiles_ms(phase.seconds)
        after = ", ".join(f"{status} {n}" for status, n in sorted(phase.after.items()))
        rows.append(
            [
                phase.name,
                len(phase.seconds),
                phase.clicks,
                len(phase.failures),
                phase.degraded.total(),
                p50,
                p99,
                p99 / usual,
                after,
            ]
        )
    print_table(
        f"Services rolled under {RATE:g} lists/s and {RATE:g} clicks/s",
        [
            "phase",
            "lists",
            "clicks",
            "failed",
            "degraded",
            "p50 ms",
            "p99 ms",
            "of steady",
            "lists after a click",
        ],
        rows,
    )
