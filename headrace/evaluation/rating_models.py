"""Classic models of ratings, from scikit-surprise, to set expected ratings beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import surprise

from headrace.evaluation.rated import Numbers, given_ratings, rated_events
from headrace.evaluation.ratings import errors
from headrace.training.log import EventLog
from headrace.training.split import Part, Split

# What the quality of SVD++ hangs on most; the library has 20 epochs and 0.02.
_TUNED: tuple[dict[str, float], ...] = (
    {"n_epochs": 30, "reg_all": 0.08},
    {"n_epochs": 40, "reg_all": 0.1},
)


def classic_ratings(log: EventLog, parts: Split) -> Iterator[tuple[str, Mapping[str, Numbers]]]:
    """Name and ratings of all rated events held out, by part; fitted on the training part.

    Of several settings the best on validation is taken.
    """
    asked = {name: rated_events(log, parts, part) for name, part in parts.held_out.items()}
    training = _training(log, parts)
    bias = surprise.BaselineOnly(bsl_options={"method": "als"}, verbose=False)
    similar = {"name": "pearson_baseline", "user_based": False}
    items = surprise.KNNBaseline(sim_options=similar, verbose=False)
    for name, model in (
        ("biases", bias),
        ("item-based CF", items),
        ("SVD", surprise.SVD(random_state=0)),
        ("SVD++", surprise.SVDpp(random_state=0)),
    ):
        yield name, _told(model.fit(training), log, asked)
    tuned = [surprise.SVDpp(random_state=0, **chosen) for chosen in _TUNED]
    told = [_told(model.fit(training), log, asked) for model in tuned]
    given = given_ratings(log, asked["validation"])
    yield "SVD++, tuned", min(told, key=lambda ratings: errors(ratings["validation"], given).rmse)


def _training(log: EventLog, parts: Split) -> surprise.Trainset:
    known = parts.training_events(log) & ~np.isnan(log.ratings)
    owners = np.repeat(np.arange(log.users), np.diff(log.offsets))
    table = pd.DataFrame(
        {"user": owners[known], "item": log.items[known], "rating": log.ratings[known]}
    )
    reader = surprise.Reader(rating_scale=(1, 5))
    return surprise.Dataset.load_from_df(table, reader).build_full_trainset()


def _told(
    model: surprise.AlgoBase, log: EventLog, asked: Mapping[str, Part]
) -> Mapping[str, Numbers]:
    """Of events by part: [Q] each."""
    return {
        name: np.array(
            [
                model.predict(user, item).est
                for user, item in zip(
                    part.users.tolist(), log.items[part.positions].tolist(), strict=True
                )
            ]
        )
        for name, part in asked.items()
    }
