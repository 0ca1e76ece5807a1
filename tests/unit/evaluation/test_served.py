"""The pipeline in batches does what the ranker does for one person at a time."""

from pathlib import Path

import numpy as np
import pytest

from headrace.api.events.v1.events_pb2 import EventType
from headrace.bundle import Bundle
from headrace.bundle.features import ItemFacts, candidate_features
from headrace.evaluation.metrics import MISSED
from headrace.evaluation.served import DISLIKE, ServedLists, ServedPipeline, recent_items
from headrace.index.vector_index import ABSENT
from headrace.training.split import Part, split
from tests.unit.evaluation.toy import toy_log

LOG = toy_log()
TEST = split(LOG, "leave-one-out").test


@pytest.fixture(scope="module")
def bundle(toy_bundle: Path) -> Bundle:
    return Bundle.load(str(toy_bundle))


@pytest.fixture(scope="module")
def pipeline(bundle: Bundle) -> ServedPipeline:
    return ServedPipeline(bundle, LOG.catalogue)


def test_vectors_are_those_of_stepping_through_each_history(
    bundle: Bundle, pipeline: ServedPipeline
) -> None:
    people = pipeline.people(LOG, TEST)
    for row, (user, position) in enumerate(zip(TEST.users, TEST.positions, strict=True)):
        state = bundle.user.initial_state(1)
        for event in range(LOG.offsets[user], position):
            state, vector = bundle.user.step(
                state,
                pipeline.vectors[LOG.items[[event]]],
                LOG.kinds[[event]],
                LOG.gap_s[[event]],
            )
        np.testing.assert_allclose(people[row], vector[0], atol=1e-4)


def test_what_a_person_had_is_not_retrieved_and_the_target_is(pipeline: ServedPipeline) -> None:
    asked = TEST.questions(LOG)
    found = pipeline.retrieved(pipeline.people(LOG, TEST), asked, 60)
    for row, (history, target) in enumerate(zip(asked.histories, asked.targets, strict=True)):
        shown = found.columns[row][found.columns[row] != ABSENT]
        assert set(shown.tolist()) == set(range(60)) - set(history.tolist()) | {target}


def test_a_list_is_ordered_as_the_head_orders_it_alone(
    bundle: Bundle, pipeline: ServedPipeline
) -> None:
    asked, people = TEST.questions(LOG), pipeline.people(LOG, TEST)
    recent = recent_items(LOG, TEST)
    shown = pipeline.ordered(people, pipeline.retrieved(people, asked, 20), recent)
    vectors, biases = bundle.items.encode(LOG.catalogue)
    categories = bundle.items.categories(LOG.catalogue)
    attributes = bundle.items.attributes(LOG.catalogue)
    for row, history in enumerate(asked.histories):
        scores = vectors @ people[row] + biases
        scores[np.setdiff1d(history, asked.targets[[row]])] = -np.inf
        best = np.argsort(-scores, kind="stable")[:20]
        lately = recent[row][recent[row] != ABSENT]
        about, before = (
            ItemFacts(vectors[c][None], categories[c][None], attributes[c][None])
            for c in (best, lately)
        )
        mask = np.ones((1, len(lately)), dtype=np.float32)
        popularity = np.array([bundle.items.popularity(LOG.catalogue[c].item_id) for c in best])
        rows = bundle.items.rows([item.item_id for item in LOG.catalogue])
        counted = bundle.known.counted(rows[best][None], rows[lately][None])
        features = candidate_features(
            scores[best][None], popularity[None], about, before, mask, counted=counted
        )
        preference, _ = bundle.ranker.score(
            people[[row]], about.vectors, before.vectors, mask, features
        )
        np.testing.assert_allclose(shown.scores[row], -np.sort(-preference[0]), atol=1e-5)
        assert set(shown.columns[row].tolist()) == set(best.tolist())


def test_a_target_beyond_the_candidates_is_missed_and_ties_count_against() -> None:
    lists = ServedLists(
        np.array([[4, 2, 7], [1, 3, ABSENT]]),
        np.array([[0.9, 0.5, 0.5], [0.3, 0.2, -np.inf]], dtype=np.float32),
    )
    assert lists.ranks(np.array([2, 3])).tolist() == [3, 2]
    assert lists.ranks(np.array([5, 4])).tolist() == [MISSED, MISSED]


def test_recent_items_come_once_and_without_dislikes() -> None:
    log = toy_log(people=1)
    object.__setattr__(log, "items", np.array([5, 9, 5, 1, 2]))
    object.__setattr__(log, "kinds", np.array([2, 2, 2, DISLIKE, 2]))
    newest = recent_items(log, Part(np.array([0]), np.array([4])))
    assert newest[0][newest[0] != ABSENT].tolist() == [9, 5]


def test_the_number_of_dislike_is_that_of_the_protos() -> None:
    assert DISLIKE == EventType.EVENT_TYPE_DISLIKE


def test_every_target_is_rated_from_1_to_5(pipeline: ServedPipeline) -> None:
    ratings = pipeline.ratings(
        pipeline.people(LOG, TEST), recent_items(LOG, TEST), TEST.questions(LOG).targets
    )
    assert ratings.shape == TEST.users.shape
    assert ((ratings >= 1) & (ratings <= 5)).all()
