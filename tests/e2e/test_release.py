"""A model of another width is released beside the live one, at noon, and taken back.

What is counted here at a low rate, `python -m bench.release` measures at 200 requests/s.
"""

from pathlib import Path

from headrace.release.registry import Registry
from headrace.release.shares import chosen
from headrace.store.database import Database
from tests.e2e.releasing import PEOPLE, Traffic, environment, release, wider  # noqa: F401
from tests.e2e.visitor import Visitor, until


def test_a_model_is_switched_and_taken_back_without_a_failed_or_mixed_list(
    visitor: Visitor,
    wider: Path,  # noqa: F811
) -> None:
    system = visitor.system
    old = system.model_version
    visitor.send(
        [
            {
                "event_id": f"first-{user_id}-{item}",
                "user_id": user_id,
                "item_id": f"item-{item}",
                "type": "click",
            }
            for user_id in PEOPLE
            for item in range(3)
        ]
    )
    visitor.until_applied("person-", 3 * len(PEOPLE))
    said = release(system, "propose", str(wider), code=2)
    assert "is not in both manifests" in said
    with Traffic(visitor).going() as traffic:
        assert "proposed in slot green" in release(system, "propose", str(wider), "--force")
        release(system, "shadow", "100%")
        database = Database(system.database_url, 1)
        registry = Registry(database)
        candidate = registry.active().candidate
        assert candidate is not None
        new = candidate.model_version
        assert new != old
        release(system, "canary", "50%", "--wait", "60")
        candidate = registry.active().candidate
        assert candidate is not None
        until(lambda: new in traffic.versions(), 30, "the canary makes lists")
        shown = traffic.turn(20)
        whose = dict(shown.keys())
        assert len(whose) == len(shown), "somebody got lists of both"
        for user_id, model in whose.items():
            assert (model == new) == chosen(user_id, candidate.salt, 0.5), user_id

        release(system, "promote", "--wait", "60")
        until(lambda: traffic.versions() == {new}, 30, "everybody gets the new model")
        assert traffic.versions(10) == {new}
        report = release(system, "report")
        assert f"{new} for 50.00% of people" in report
        on_candidate = sum(chosen(user, candidate.salt, 0.5) for user in whose)
        counted = f"live {len(whose) - on_candidate}  candidate {on_candidate}  p="
        assert counted in report
        assert "WRONG SPLIT" not in report
        release(system, "rollback", "--reason", "as a rehearsal")
        until(lambda: traffic.versions() == {old}, 30, "everybody gets the old model again")
        assert traffic.versions(10) == {old}
        database.close()
    assert traffic.failures == []
    parts = {part.name for part in system.status()}
    until(
        lambda: not any(part.name.startswith("green_") for part in system.status()),
        30,
        f"one version is left in memory, of {parts}",
    )
    assert "as a rehearsal" in release(system, "status")
