"""The rule by which a candidate is better, and what is written about it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headrace.evaluation.intervals import Difference, Interval
from headrace.retraining.keeping import put
from headrace.retraining.news import Cuts
from headrace.retraining.reasons import Standing
from headrace.retraining.report import Report, Times
from headrace.retraining.trial import METRICS, Pair, Trial, judge
from headrace.training.carry import Carried, Share

MOMENT = datetime(2026, 11, 27, 2, 15, tzinfo=UTC)


def trial(mean: float, low: float, high: float) -> Trial:
    pair = Pair(
        Interval(0.1, 0.09, 0.11),
        Interval(0.1 + mean, 0.1, 0.2),
        Difference(Interval(mean, low, high), "better"),
    )
    return Trial(
        people=512,
        there=512,
        events=4_000,
        figures=dict.fromkeys(METRICS, pair),
        new=0,
        on_new={},
        most_popular=0.05,
    )


def report(found: Trial) -> Report:
    return Report(
        made_at=MOMENT,
        live_version="m1",
        live_url="/bundles/m1",
        candidate_version="m2",
        reasons=("12,000 events are new, 10,000 are enough",),
        standing=Standing(MOMENT, exact=True, events=12_000, drift={}),
        unseen=True,
        parts={"train": 80_000, "validation": 2_400, "test": 2_400},
        cuts=Cuts(1_795_000_000.0, 1_795_100_000.0),
        carried=Carried(
            "m1", Share(90, 10, 2), Share(5, 1, 0), Share(3, 0, 0), Share(1, 0, 0), ratings=True
        ),
        anew="",
        training={"epochs": 9, "best_epoch": 4, "towers_s": 61.4},
        trial=found,
        verdict=judge(found, 0.0),
        times=Times(given=3_600.0, before=60.0, training=3_000.0, trial=240.0),
    )


@pytest.mark.parametrize(
    ("low", "margin", "better"),
    [(0.001, 0.0, True), (0.0, 0.0, False), (-0.001, 0.0, False), (-0.001, -0.002, True)],
)
def test_better_is_an_interval_wholly_above_the_margin(
    low: float, margin: float, better: bool
) -> None:
    verdict = judge(trial(0.01, low, 0.02), margin)
    assert verdict.better is better
    assert f"+0.0100 [{low:+.4f}, +0.0200]" in verdict.why


def test_a_report_tells_why_on_what_and_how_it_went(tmp_path: Path) -> None:
    made = report(trial(0.01, 0.004, 0.016))
    made.write(tmp_path / "report")
    text = (tmp_path / "report" / "report.md").read_text()
    for said in (
        "Better than the live model",
        "12,000 events are new",
        "The live model never saw them either",
        "| items | 90 | 10 | 2 |",
        "512 people are asked for 4,000 things",
        "+0.0100 [+0.0040, +0.0160]",
        "9 epochs, the one after 4 kept",
        "for everybody: NDCG@10 0.0500",
        "3,300 s of 3,600: 60 s until training began, 3,000 s training, 240 s the trial",
    ):
        assert said in text
    facts = json.loads((tmp_path / "report" / "report.json").read_text())
    assert facts["trial"]["figures"]["NDCG@10"]["change"]["interval"]["low"] == 0.004
    assert facts["standing"]["since"] == "2026-11-27T02:15:00+00:00"


def test_a_report_of_a_worse_one_says_so_and_what_is_not_known() -> None:
    made = report(trial(-0.01, -0.02, 0.004))
    vague = replace(made, unseen=False, carried=None, anew="no luck")
    text = vague.markdown()
    assert "Not proposed" in text
    assert "not all of the interval is above 0" in text
    assert "may have learned from the trial's events" in " ".join(text.split())
    assert "From the beginning: no luck." in text


def test_where_the_time_is_for_some_people_the_report_says_of_how_many() -> None:
    found = trial(0.01, 0.004, 0.016)
    assert "drawn from" not in report(found).markdown()
    assert "512 people, drawn from 9,000" in report(replace(found, there=9_000)).markdown()


def test_a_folder_is_put_to_a_url(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "report.md").write_text("told")
    assert put(tmp_path / "one", f"{tmp_path}/kept/", "m2") == f"{tmp_path}/kept/m2"
    assert (tmp_path / "kept" / "m2" / "report.md").read_text() == "told"
    url = put(tmp_path / "one", "memory://kept", "m2")
    assert url == "memory://kept/m2"
