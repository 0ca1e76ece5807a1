"""The ranking head as services run it."""

from __future__ import annotations

import numpy as np

from headrace.bundle.graph import Array, Graph
from headrace.bundle.manifest import Manifest, Ranking


class Ranker:
    """Scores a few hundred candidates in one run.

    `ranking` is `retrieval` where the head did not beat retrieval order on validation; the
    preference then keeps that order.
    """

    def __init__(self, manifest: Manifest, graph: Graph) -> None:
        self.ranking: Ranking = manifest.ranking
        self.rating_trained = manifest.rating_trained
        self._graph = graph

    def score(
        self, user: Array, candidates: Array, recent: Array, recent_mask: Array, features: Array
    ) -> tuple[Array, Array]:
        """Preference (0 to 1, calibrated) and expected rating (1 to 5).

        Shapes: user [B,D+T], candidates [B,K,D], recent [B,R,D], recent_mask [B,R] (1: an item,
        0: padding), features [B,K,F] of `candidate_features` -> preference [B,K], rating [B,K].
        """
        if recent.shape[1] == 0:
            batch, _, width = candidates.shape
            recent = np.zeros((batch, 1, width), dtype=np.float32)
            recent_mask = np.zeros((batch, 1), dtype=np.float32)
        preference, rating = self._graph.run(
            *(
                np.ascontiguousarray(values, dtype=np.float32)
                for values in (user, candidates, recent, recent_mask, features)
            )
        )
        return preference, rating
