"""What the model is given, by ranges whose shares tell of drift."""

import math
from collections.abc import Callable, Sequence

from headrace.contracts.events import EventType
from headrace.evaluation.drift import HISTORIES, POPULARITIES
from services.ranker.accuracy import metrics
from services.ranker.accuracy.clicks import Click

_TYPES = {int(kind): kind.name.lower() for kind in EventType}


class Inputs:
    """Counts live interactions by length of the history, type, and popularity of the item."""

    def __init__(self, popularity: Callable[[int], float]) -> None:
        """popularity: log(1 + interactions in training) of the item with an ordinal."""
        self._popularity = popularity
        ranges = {
            "history": HISTORIES.names,
            "popularity": POPULARITIES.names,
            "type": (*_TYPES.values(), metrics.OTHER),
        }
        self._counts = {
            (kind, name): metrics.INPUTS.labels(kind, name)
            for kind, names in ranges.items()
            for name in names
        }

    def take(self, clicks: Sequence[Click]) -> None:
        for click in clicks:
            if click.backfill:
                continue
            self._counts["history", HISTORIES.of(click.n)].inc()
            if click.ordinal:
                chosen = round(math.expm1(self._popularity(click.ordinal)))
                self._counts["popularity", POPULARITIES.of(chosen)].inc()
            self._counts["type", _TYPES.get(click.type, metrics.OTHER)].inc()
