"""Cold items: what is asked, what counts, and that content is found."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from headrace.bundle import Bundle
from headrace.evaluation.cold import cold_questions, evaluate_cold, recalls
from headrace.evaluation.evaluate import evaluate
from headrace.evaluation.text import cold_lines_of
from headrace.training.log import EventLog
from headrace.training.preparation.splits import TEST, TRAIN, VALIDATION
from headrace.training.split import is_cold, split
from tests.unit.evaluation.toy import bundle_of, toy_log

COLD = np.arange(0, 60, 5)


def cold_log() -> EventLog:
    """The toy log with every fifth item held out: warm events first, the last one validation."""
    log = toy_log()
    owners = np.repeat(np.arange(log.users), np.diff(log.offsets))
    cold = np.isin(log.items, COLD)
    order = np.lexsort((cold, owners))
    parts = np.where(cold[order], TEST, TRAIN).astype(np.int8)
    warm = np.bincount(owners[~cold], minlength=log.users)
    parts[(log.offsets[:-1] + warm - 1)[warm >= 3]] = VALIDATION
    return dataclasses.replace(
        log, items=log.items[order], kinds=log.kinds[order], gap_s=log.gap_s[order], parts=parts
    )


LOG = cold_log()
PARTS = split(LOG, "prepared")


@pytest.fixture(scope="module")
def bundle(toy_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("cold") / "bundle"
    return Bundle.load(str(bundle_of(toy_bundle, folder, LOG, "prepared")))


def test_people_are_known_by_warm_items_and_asked_about_all_their_cold_ones() -> None:
    asked = cold_questions(LOG, PARTS)
    assert np.flatnonzero(asked.cold).tolist() == [i for i in COLD if i in LOG.items]
    for user, had, wanted in zip(asked.part.users, asked.histories, asked.wanted, strict=True):
        whole = LOG.history(LOG.offsets[user], LOG.offsets[user + 1])
        assert len(had) > 0
        assert len(wanted) > 0
        assert sorted([*had, *wanted]) == sorted(whole)
        assert not set(had) & set(COLD)
        assert set(wanted) <= set(COLD)


def test_recall_is_a_mean_over_people_who_wanted_something() -> None:
    lists = np.array([[4, 2, 7], [1, 3, -1], [5, 6, 8]])
    wanted = [np.array([2, 9]), np.array([3]), np.array([], dtype=np.int64)]
    assert recalls(lists, wanted).tolist() == [0.5, 1.0]


def test_everybody_is_shown_all_of_fewer_than_a_hundred_cold_items(bundle: Bundle) -> None:
    found = evaluate_cold(bundle, LOG, PARTS)
    assert found.people == len(PARTS.test.users)
    assert found.described_items == found.items
    for by_order in found.recall.values():  # 60 items in all
        assert {order: recall.mean for order, recall in by_order.items()} == {
            "served": 1.0,
            "retrieval": 1.0,
            "tf-idf": 1.0,
        }
    *_, last = cold_lines_of(found, PARTS.digest)
    assert last == f"cold users={found.people} recall@100=1.0000 split={PARTS.digest[:12]}"


def test_of_few_places_content_fills_more_than_chance(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headrace.evaluation.cold.K", 3)
    found = evaluate_cold(bundle, LOG, PARTS).recall["among cold items"]
    # Three of twelve at random: .25; each category has three of them.
    assert found["served"].mean > 0.6
    assert found["tf-idf"].mean > 0.6


def test_the_ordinary_report_calls_all_of_them_cold(bundle: Bundle) -> None:
    test = evaluate(bundle, LOG, parts=PARTS).served["test"]
    asked = {name: part.questions for name, part in test.slices.items()}
    assert asked["cold items"] == len(PARTS.test.users)
    assert asked["popular items"] == asked["long tail"] == 0


def test_a_split_that_tests_known_items_is_not_cold() -> None:
    assert LOG.parts is not None
    assert is_cold(LOG, LOG.parts)
    warm = LOG.parts.copy()
    shared = np.bincount(LOG.items[warm == TRAIN]).argmax()
    warm[np.flatnonzero(LOG.items == shared)[0]] = TEST
    assert not is_cold(LOG, warm)
