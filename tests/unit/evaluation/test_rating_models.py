import dataclasses

import numpy as np

from headrace.evaluation.rated import given_ratings, rated_events
from headrace.evaluation.rating_models import classic_ratings
from headrace.evaluation.ratings import errors
from headrace.training.split import split
from tests.unit.evaluation.toy import toy_log

LOG = toy_log(people=40, shortest=8)


def test_classic_models_tell_items_that_all_like_from_those_that_none_does() -> None:
    ratings = np.where(LOG.items % 2 == 0, 5.0, 1.0).astype(np.float32)
    log = dataclasses.replace(LOG, ratings=ratings)
    parts = split(log, "leave-one-out")
    given = given_ratings(log, rated_events(log, parts, parts.test))
    told = dict(classic_ratings(log, parts))
    assert list(told) == ["biases", "item-based CF", "SVD", "SVD++", "SVD++, tuned"]
    for by_part in told.values():
        assert by_part["test"].shape == given.shape
        assert errors(by_part["test"], given).mae < 2.0  # the middle is 2 off everywhere


def test_only_rated_events_of_people_with_a_past_are_told() -> None:
    ratings = np.full(len(LOG.items), 3.0, dtype=np.float32)
    ratings[LOG.offsets[1:] - 1] = np.nan
    ratings[LOG.offsets[1] - 1] = 4.0
    log = dataclasses.replace(LOG, ratings=ratings)
    parts = split(log, "leave-one-out")
    assert rated_events(log, parts, parts.test).users.tolist() == [0]
