"""Metrics of releases. Two variants at most, each with its model version as information."""

from collections.abc import Mapping
from typing import get_args

from prometheus_client import Counter, Gauge, Histogram

from headrace.release.stages import Active
from headrace.retraining.record import Outcome, Tally
from headrace.runtime.metrics import LATENCY_BUCKETS

SECONDS = Histogram(
    "headrace_release_list_seconds",
    "Time of the ranker for a list while a model is on its way, by variant: live or candidate.",
    ["variant"],
    buckets=LATENCY_BUCKETS,
)
FAILURES = Counter(
    "headrace_release_candidate_failures_total",
    "Lists that the candidate failed to make; those of a canary came from the live model instead, "
    "those of a shadow count from its first list on.",
    ["reason"],
)
OVERLAP = Histogram(
    "headrace_release_shadow_overlap_ratio",
    "Share of a shown list that the candidate's list for the same request has as well.",
    buckets=(0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
)
SKIPPED = Counter(
    "headrace_release_shadow_skipped_total",
    "Requests that the candidate was not asked, since it was busy with others.",
)
_INFO = Gauge(
    "headrace_release_info",
    "1 for each model that is released: the live one, and one more at most.",
    ["variant", "model_version", "slot", "stage"],
)
_SHARE = Gauge("headrace_release_share_ratio", "Share of people, or of requests as a shadow.")
_RUNS = Gauge(
    "headrace_training_runs",
    "Runs of `headrace retrain` that Postgres knows, by outcome.",
    ["outcome"],
)
_NEWEST = Gauge(
    "headrace_training_newest_timestamp_seconds",
    "When the newest run with this outcome ended, or began if it goes on: Unix time, 0 for none.",
    ["outcome"],
)

# From the start on, so that a rate sees the first one.
for _variant in ("live", "candidate"):
    SECONDS.labels(_variant)
for _reason in ("unavailable", "timeout", "degraded"):
    FAILURES.labels(_reason)


def show_releases(active: Active) -> None:
    """Replaces what was shown before."""
    _INFO.clear()
    if active.live is None:
        _INFO.labels("live", "of the settings", active.live_slot, "live").set(1)
    else:
        one = active.live
        _INFO.labels("live", one.model_version, one.slot, one.stage).set(1)
    if active.other is not None:
        one = active.other
        variant = "standby" if active.candidate is None else "candidate"
        _INFO.labels(variant, one.model_version, one.slot, one.stage).set(1)
    _SHARE.set(0.0 if active.candidate is None else active.candidate.share)


def show_trainings(tallies: Mapping[Outcome, Tally]) -> None:
    """Every outcome, 0 where there was none."""
    for outcome in get_args(Outcome):
        tally = tallies.get(outcome, Tally(0, 0.0))
        _RUNS.labels(outcome).set(tally.runs)
        _NEWEST.labels(outcome).set(tally.newest_s)
