"""A process of a model that nearly everybody is shown dies: nobody notices but the operator."""

import os
import signal
from contextlib import closing, suppress
from pathlib import Path

import pytest

from headrace.local.slots import SECOND_SLOT
from headrace.release.registry import Registry
from headrace.release.shares import chosen
from headrace.store.database import Database
from tests.e2e.prometheus import Prometheus
from tests.e2e.releasing import PEOPLE, Traffic, environment, release, wider  # noqa: F401
from tests.e2e.visitor import Visitor, until

pytestmark = pytest.mark.long

_SHARE = 0.9
_STRANGERS = 2
"""Who look each time: of other people the ranker goes on with what it has in memory."""


@pytest.mark.parametrize(
    ("process", "reason"), [("green_ranker", "unavailable"), ("green_user_embedding", "degraded")]
)
def test_a_canary_that_crashes_costs_no_list_and_is_stopped_with_an_alert(
    visitor: Visitor,
    prometheus: Prometheus,
    wider: Path,  # noqa: F811
    process: str,
    reason: str,
) -> None:
    system = visitor.system
    live = system.model_version
    visitor.send(
        [
            {
                "event_id": f"before-{process}",
                "user_id": one,
                "item_id": "item-1",
                "type": "click",
            }
            for one in PEOPLE
        ]
    )
    release(system, "propose", str(wider), "--force")
    release(system, "canary", f"{_SHARE:.0%}", "--wait", "100")
    with (
        closing(Database(system.database_url, 1)) as database,
        Traffic(visitor, _STRANGERS).going() as traffic,
    ):
        registry = Registry(database)
        candidate = registry.active().candidate
        assert candidate is not None
        new, salt = candidate.model_version, candidate.salt

        def on_the_candidate() -> bool:
            return all(
                (model == new) == chosen(user_id, salt, _SHARE) for user_id, model in traffic.turn()
            )

        def killed_until_it_is_stopped() -> bool:
            pid = system.pid(process)
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)  # it is started again
            return registry.active().candidate is None

        until(on_the_candidate, 30, "the candidate makes the lists of its people")
        before = traffic.answers.copy()
        until(killed_until_it_is_stopped, 60, "the candidate is stopped")
        until(lambda: traffic.versions() == {live}, 30, "the live model makes all lists")
        instead = traffic.answers - before
        # The failures that stopped it, at least.
        assert (
            sum(n for (one, by), n in instead.items() if by == live and chosen(one, salt, _SHARE))
            >= 20
        )
    assert traffic.failures == []
    newest = release(system, "status").splitlines()[0]
    assert f"{new} is stopped in slot green  it failed too often" in newest
    until(
        lambda: {"reason": reason}.items() <= _labels(prometheus),
        30,
        f"the alert fires for {reason}",
    )
    until(
        lambda: all(system.pid(part) is None for part in SECOND_SLOT), 60, "its processes have gone"
    )


def _labels(prometheus: Prometheus) -> set[tuple[str, str]]:
    """Of the alerts that fire."""
    return {pair for one in prometheus.firing("HeadraceCandidateFails") for pair in one.items()}
