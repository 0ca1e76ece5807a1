"""The parts of live accuracy, put together."""

import numpy as np

from headrace.runtime.kafka_publisher import Publisher
from services.ranker.accuracy.before import Before
from services.ranker.accuracy.feed import LiveAccuracy
from services.ranker.accuracy.inputs import Inputs
from services.ranker.accuracy.places import Places
from services.ranker.accuracy.prequential import Prequential
from services.ranker.accuracy.sampling import Budget, Panel
from services.ranker.accuracy.shown import Shown
from services.ranker.accuracy.variety import Variety
from services.ranker.settings import RankerSettings


def people_before(settings: RankerSettings) -> Before:
    """People's vectors, which the reader of `user-vectors` fills from its start."""
    panel = Panel(settings.accuracy_share)
    return Before(settings.accuracy_memory_mb * 1_000_000, panel.has)


def lists_shown(settings: RankerSettings) -> Shown:
    """Lists that people got, which clicks are credited to."""
    return Shown(settings.accuracy_window_min * 60, settings.accuracy_lists)


def live_accuracy(
    settings: RankerSettings,
    model_version: str,
    publisher: Publisher,
    before: Before,
    places: Places,
    *,
    shown: Shown,
) -> LiveAccuracy:
    catalogue = places.catalogue
    return LiveAccuracy(
        bootstrap_servers=settings.kafka(),
        model_version=model_version,
        publisher=publisher,
        panel=Panel(settings.accuracy_share),
        prequential=Prequential(
            model_version=model_version,
            places=places,
            before=before,
            budget=Budget(settings.accuracy_clicks_per_s),
        ),
        inputs=Inputs(lambda ordinal: float(catalogue.popularity(np.array([ordinal]))[0])),
        shown=shown,
        variety=Variety(catalogue),
        ordinal_of=catalogue.known_ordinal,
    )
