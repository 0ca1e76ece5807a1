import dataclasses
from pathlib import Path

import numpy as np
import pytest

from headrace.bundle import Bundle
from headrace.errors import DataInvalid
from headrace.evaluation.evaluate import asked_of, evaluate, leave_one_out, serve
from headrace.evaluation.sampled import drawn_items, figures, ranks_among, served_ranks_among
from headrace.evaluation.served import ServedPipeline
from headrace.evaluation.text import lines_of
from tests.unit.evaluation.toy import bundle_of, toy_log

LOG = toy_log()
PART = leave_one_out(LOG).test


def test_the_rank_is_one_more_than_the_drawn_items_that_are_not_below() -> None:
    scores = np.array([[0.9, 0.5, 0.1, 0.7], [0.2, 0.9, 0.9, 0.9]], dtype=np.float32)
    drawn = np.array([[1, 2], [1, 2]])
    assert ranks_among(scores, np.array([3, 0]), drawn).tolist() == [1, 3]


def test_a_tie_counts_against_the_model() -> None:
    scores = np.array([[0.5, 0.5, 0.5, 0.1]], dtype=np.float32)
    assert ranks_among(scores, np.array([0]), np.array([[1, 2, 3]])).tolist() == [3]


def test_items_that_a_person_had_and_were_not_drawn_take_no_rank() -> None:
    scores = np.array([[-np.inf, 0.5, 0.9]], dtype=np.float32)
    assert ranks_among(scores, np.array([1]), np.array([[0]])).tolist() == [1]


def test_figures_are_means_over_people() -> None:
    found = figures(np.array([1, 3, 11]))
    assert found["HR@10"].mean == pytest.approx(2 / 3)
    assert found["NDCG@10"].mean == pytest.approx((1 + 1 / 2 + 0) / 3)


def test_what_is_drawn_was_never_touched_and_is_drawn_once() -> None:
    drawn = drawn_items(LOG, PART, 30, seed=0)
    for user, items in zip(PART.users, drawn, strict=True):
        touched = LOG.history(LOG.offsets[user], LOG.offsets[user + 1])
        assert not np.isin(items, touched).any()
        assert len(np.unique(items)) == 30


def test_the_same_seed_draws_the_same() -> None:
    once, again, other = (drawn_items(LOG, PART, 9, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(once, again)
    assert (once != other).any()


def test_more_than_a_person_left_untouched_cannot_be_drawn() -> None:
    with pytest.raises(DataInvalid, match="user-0 has not touched 57 of 60 items; 58 cannot"):
        drawn_items(LOG, PART, 58, seed=0)


def test_among_all_untouched_items_a_bundle_ranks_as_on_the_whole_catalogue(
    toy_bundle: Path, tmp_path: Path
) -> None:
    folder = bundle_of(toy_bundle, tmp_path / "bundle", LOG)
    pipeline = ServedPipeline(Bundle.load(str(folder)), LOG.catalogue)
    row = slice(0, 1)
    part = dataclasses.replace(PART, users=PART.users[row], positions=PART.positions[row])
    asked = asked_of(pipeline, LOG, part)
    drawn = drawn_items(LOG, part, 57, seed=0)
    whole = [lists.ranks(asked.questions.targets) for lists in serve(pipeline, asked, 60)]
    np.testing.assert_array_equal(served_ranks_among(pipeline, asked, drawn), whole)


def test_evaluate_says_what_such_figures_are_good_for(toy_bundle: Path, tmp_path: Path) -> None:
    bundle = Bundle.load(str(bundle_of(toy_bundle, tmp_path / "bundle", LOG)))
    found = evaluate(bundle, LOG, sampled=20)
    text = "\n".join(lines_of(found, bundle.manifest))
    assert "only for comparing with tables made that way" in text
    assert found.sampled["served"]["HR@10"].mean >= found.served["test"].intervals["HR@10"].mean
    assert evaluate(bundle, LOG).sampled == {}
