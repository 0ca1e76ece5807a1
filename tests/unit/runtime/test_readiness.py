"""Ready means: every condition holds, and nobody told it to stop."""

from headrace.runtime.readiness import Readiness


def test_it_names_what_is_missing() -> None:
    state = {"kafka": False, "bundle": True}
    readiness = Readiness()
    assert readiness.missing() == []
    readiness.require("kafka", lambda: state["kafka"])
    readiness.require("bundle", lambda: state["bundle"])
    assert readiness.missing() == ["kafka"]
    state["kafka"] = True
    assert readiness.missing() == []
    state["bundle"] = False
    assert readiness.missing() == ["bundle"]


def test_once_stopping_it_is_not_ready_whatever_holds() -> None:
    readiness = Readiness()
    readiness.require("kafka", lambda: True)
    readiness.stopping()
    assert readiness.missing() == ["stopping"]
