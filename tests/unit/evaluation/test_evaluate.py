import dataclasses
from pathlib import Path

import numpy as np
import pytest

from headrace.bundle import Bundle
from headrace.errors import DataInvalid, FailedPrecondition
from headrace.evaluation.evaluate import evaluate
from headrace.evaluation.text import lines_of
from tests.unit.evaluation.toy import bundle_of, toy_log

LOG = toy_log()


def test_a_category_that_people_keep_to_is_found(toy_bundle: Path, tmp_path: Path) -> None:
    bundle = Bundle.load(str(bundle_of(toy_bundle, tmp_path / "bundle", LOG)))
    test = evaluate(bundle, LOG).served["test"]
    # Ten of the 57 items or so that a person did not have, at random: .18.
    assert test.intervals["HR@10"].mean > 0.4


def test_the_last_line_has_the_people_the_figures_and_the_split(
    toy_bundle: Path, tmp_path: Path
) -> None:
    bundle = Bundle.load(str(bundle_of(toy_bundle, tmp_path / "bundle", LOG)))
    found = evaluate(bundle, LOG)
    *_, last = lines_of(found, bundle.manifest)
    gain = found.served["test"].values["NDCG@10"].mean()
    assert last.startswith(f"test users={len(LOG.user_ids)} HR@10=")
    assert last.endswith(f"NDCG@10={gain:.4f} split={found.split.digest[:12]}")


def test_an_exact_index_and_a_full_list_lose_nothing(toy_bundle: Path, tmp_path: Path) -> None:
    bundle = Bundle.load(str(bundle_of(toy_bundle, tmp_path / "bundle", LOG)))
    losses = evaluate(bundle, LOG).losses
    assert losses.index.lost == 0
    assert losses.candidates is not None
    assert losses.candidates.lost == 0
    assert losses.export is None  # nothing was measured in training


def test_what_training_measured_is_compared(toy_bundle: Path, tmp_path: Path) -> None:
    folder = bundle_of(toy_bundle, tmp_path / "bundle", LOG, metrics={"test.NDCG@10": 1.0})
    found = evaluate(Bundle.load(str(folder)), LOG)
    assert found.losses.export is not None
    assert found.losses.export.lost == 1 - found.served["test"].intervals["NDCG@10"].mean


def test_retrieval_order_is_measured_where_it_is_served(toy_bundle: Path, tmp_path: Path) -> None:
    folder = bundle_of(toy_bundle, tmp_path / "bundle", LOG, ranking="retrieval")
    found = evaluate(Bundle.load(str(folder)), LOG)
    assert found.losses.candidates is None
    for name, values in found.retrieval["test"].values.items():
        np.testing.assert_array_equal(values, found.served["test"].values[name])


def test_a_bundle_that_saw_the_test_part_is_refused(toy_bundle: Path, tmp_path: Path) -> None:
    folder = bundle_of(toy_bundle, tmp_path / "bundle", LOG, holdout="none")
    with pytest.raises(FailedPrecondition, match=r"holdout none on split .* learned from their"):
        evaluate(Bundle.load(str(folder)), LOG)


def test_a_bundle_of_other_interactions_is_refused(toy_bundle: Path, tmp_path: Path) -> None:
    folder = bundle_of(toy_bundle, tmp_path / "bundle", toy_log(seed=1))
    with pytest.raises(FailedPrecondition, match="these files give"):
        evaluate(Bundle.load(str(folder)), LOG)


def test_histories_too_short_to_hold_anything_out_are_an_error(toy_bundle: Path) -> None:
    with pytest.raises(DataInvalid, match="nobody has three"):
        evaluate(Bundle.load(str(toy_bundle)), toy_log(people=2, shortest=1))


def test_ratings_are_set_beside_means_where_the_head_learned_them(
    toy_bundle: Path, tmp_path: Path
) -> None:
    ratings = np.random.default_rng(0).integers(1, 6, len(LOG.items)).astype(np.float32)
    log = dataclasses.replace(LOG, ratings=ratings)
    folder = bundle_of(toy_bundle, tmp_path / "bundle", log, rating_trained=True)
    bundle = Bundle.load(str(folder))
    found = evaluate(bundle, log)
    assert found.ratings.keys() == {"served", "means", "means of items"}
    assert found.ratings["served"].events == len(log.user_ids)
    assert any("RMSE" in line for line in lines_of(found, bundle.manifest))
    assert evaluate(bundle, LOG).ratings == {}  # nobody gave one
