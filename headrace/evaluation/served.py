"""The served pipeline, from a bundle alone: what the ranker does for a person, for many at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from headrace.bundle import Bundle, ItemContent
from headrace.bundle.scoring import CANDIDATES, CatalogueArrays, CatalogueScorer
from headrace.evaluation.metrics import MISSED, Ranks
from headrace.evaluation.protocol import Questions
from headrace.index.choice import index_by_size
from headrace.index.vector_index import ABSENT
from headrace.training.log import EventLog
from headrace.training.split import Part

Columns = NDArray[np.int64]
Floats = NDArray[np.float32]

# The ranker's default of HEADRACE_INDEX_EXACT_UP_TO.
_EXACT_UP_TO = 100_000
# What user_embedding remembers of a person: so many items, none of them disliked.
_RECENT = 50
DISLIKE = 6  # EVENT_TYPE_DISLIKE
_PEOPLE = 64


@dataclass(frozen=True)
class ServedLists:
    """Q lists as they are shown, best first; `ABSENT` and -inf where a list has no more.

    Shapes: columns [Q,K] in the catalogue, scores [Q,K].
    """

    columns: Columns
    scores: Floats

    def ranks(self, targets: Columns) -> Ranks:
        """Of what each person took; ties count against the pipeline. Shapes: targets [Q] -> [Q]."""
        found = self.columns == targets[:, None]
        own = np.where(found, self.scores, -np.inf).max(axis=1, keepdims=True)
        places = (self.scores >= own).sum(axis=1)
        ranks: Ranks = np.where(found.any(axis=1), places, MISSED)
        return ranks


class ServedPipeline:
    """A bundle on a catalogue of N items: vectors [N,D] and biases [N], FAISS, seen filter, head.

    Seen is all that a person had, the kinds of event aside: protocols rank what is new to them.
    """

    def __init__(self, bundle: Bundle, catalogue: Sequence[ItemContent]) -> None:
        self._bundle = bundle
        self.items = len(catalogue)
        self.vectors, self.biases = bundle.items.encode(catalogue)
        self._scorer = CatalogueScorer(bundle, CatalogueArrays.of(bundle, catalogue, self.vectors))
        self._index = index_by_size(bundle.width + 1, _EXACT_UP_TO)
        rows = np.concatenate([self.vectors, self.biases[:, None]], axis=1)
        self._index.upsert(np.arange(len(rows)), rows)
        self._index.close()  # waits for the base

    def people(self, log: EventLog, part: Part) -> Floats:
        """Each person's vector just before an event, the whole history streamed: [Q,D+T]."""
        starts = log.offsets[part.users]
        lengths = part.positions - starts
        out = np.zeros((len(lengths), self._bundle.user_width), dtype=np.float32)
        order = np.argsort(lengths, kind="stable")
        for first in range(0, len(order), _PEOPLE):
            rows = order[first : first + _PEOPLE]
            at = starts[rows, None] + np.arange(lengths[rows].max())  # [B,L]
            at = np.minimum(at, len(log.items) - 1)  # beyond its length a row is not read
            state = self._bundle.user.initial_state(len(rows))
            _, out[rows] = self._bundle.user.sequence(
                state,
                self.vectors[log.items[at]],
                log.kinds[at],
                log.gap_s[at],
                lengths[rows],
                ratings=log.ratings[at],
            )
        return out

    def queries(self, people: Floats) -> Floats:
        """What retrieval is asked with, of people's vectors. Shapes: people [Q,D+T] -> [Q,D]."""
        return people[:, : self.vectors.shape[1]]

    def retrieved(self, people: Floats, asked: Questions, width: int = CANDIDATES) -> ServedLists:
        """Lists in retrieval order, K at most `width`; a target counts as not seen.

        Shapes: people [Q,D+T].
        """
        everything = BitMap(range(self.items))
        allowed = (
            (everything - BitMap(history.tolist())) | BitMap([int(target)])
            for history, target in zip(asked.histories, asked.targets, strict=True)
        )
        return self.retrieved_among(people, allowed, width)

    def retrieved_among(
        self, people: Floats, allowed: Iterable[BitMap], width: int = CANDIDATES
    ) -> ServedLists:
        """The same, each person's list from columns of their own."""
        width = min(width, self.items)
        columns = np.full((len(people), width), ABSENT, dtype=np.int64)
        scores = np.full((len(people), width), -np.inf, dtype=np.float32)
        ones = np.ones((len(people), 1), dtype=np.float32)
        queries = np.concatenate([self.queries(people), ones], axis=1)
        for row, own in enumerate(allowed):
            k = min(width, len(own))
            found = self._index.search(queries[row : row + 1], k, own)
            columns[row, :k], scores[row, :k] = found.ordinals[0], found.scores[0]
        return ServedLists(columns, scores)

    def ordered(self, people: Floats, found: ServedLists, recent: Columns) -> ServedLists:
        """The same candidates in the order that is shown.

        Shapes: people [Q,D+T], recent [Q,R] of `recent_items`.
        """
        if self._bundle.ranker.ranking == "retrieval":
            return found
        preferences, _ = self._scorer.score(people, found.columns, found.scores, recent)
        order = np.argsort(-preferences, axis=1, kind="stable")
        return ServedLists(
            np.take_along_axis(found.columns, order, axis=1),
            np.take_along_axis(preferences, order, axis=1),
        )

    def ratings(self, people: Floats, recent: Columns, targets: Columns) -> NDArray[np.float64]:
        """The expected rating of each target; it is the same in every list.

        Shapes: people [Q,D+T], recent [Q,R], targets [Q] -> [Q].
        """
        scores = np.einsum("qd,qd->q", self.queries(people), self.vectors[targets])
        scores = scores + self.biases[targets]
        _, given = self._scorer.score(people, targets[:, None], scores[:, None], recent)
        return given[:, 0].astype(np.float64)


def recent_items(log: EventLog, part: Part) -> Columns:
    """What user_embedding remembers: the last items, oldest first, each once, without dislikes.

    Shapes: [Q,R], `ABSENT` after the end.
    """
    recent = np.full((len(part.users), _RECENT), ABSENT, dtype=np.int64)
    for row, (user, position) in enumerate(zip(part.users, part.positions, strict=True)):
        newest: list[int] = []
        events = slice(log.offsets[user], position)
        for item, kind in zip(log.items[events].tolist(), log.kinds[events].tolist(), strict=True):
            if item in newest:
                newest.remove(item)
            if kind != DISLIKE:
                newest.append(item)
                del newest[:-_RECENT]
        recent[row, : len(newest)] = newest
    return recent
