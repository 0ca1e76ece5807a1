"""What Kafka brings for live accuracy, and the threads that work on it.

Rankers share the people among them by a group on `interactions`, so each click is scored once.
Served lists lie anywhere on topic `impressions`: each ranker reads them all and keeps those of its
own people.
Nothing here holds up a list: where it fails, lists go on and an alert tells.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from google.protobuf.message import DecodeError

from headrace.api.impressions.v1.impressions_pb2 import ServedList, ServedLists
from headrace.api.ranker.v1.list_options_pb2 import LIST_KIND_SEARCH
from headrace.runtime.kafka_client import Kafka
from headrace.runtime.kafka_consumer import GroupConsumer
from headrace.runtime.kafka_publisher import Publisher
from headrace.runtime.kafka_reader import TopicReader
from headrace.runtime.kafka_records import Message, Record, Refusal
from headrace.runtime.metrics import ROUND_FAILURES
from headrace.runtime.periodic import Periodic
from headrace.runtime.topics import IMPRESSIONS, INTERACTIONS
from services.ranker.accuracy import metrics
from services.ranker.accuracy.clicks import Click, read_click
from services.ranker.accuracy.inputs import Inputs
from services.ranker.accuracy.prequential import Prequential
from services.ranker.accuracy.sampling import Panel
from services.ranker.accuracy.shown import Shown, ShownItem, ShownList
from services.ranker.accuracy.variety import Variety
from services.ranker.answers import Source

log = logging.getLogger(__name__)

T = TypeVar("T")

_NAME = "live_accuracy"
_SCORED = int(Source.RETRIEVAL)
_SOURCES = {int(source): source.name.lower() for source in Source}
_ROUND_S = 0.25
# Clicks are scored in rounds, and vectors before them are held for seconds: nobody waits for one.
# Read one by one, they cost as much as the lists that they judge.
_GATHER_S = 0.25
# Of one core: what a round takes is rested from nine times as long.
_BUSY_SHARE = 0.1


class Group(Protocol):
    """Whose events this process reads."""

    def owns(self, key: bytes) -> bool: ...


class LiveAccuracy:
    """Reads interactions and served lists, from `start` to `stop`."""

    def __init__(
        self,
        *,
        bootstrap_servers: Kafka,
        model_version: str,
        publisher: Publisher,
        panel: Panel,
        prequential: Prequential,
        inputs: Inputs,
        shown: Shown,
        variety: Variety,
        ordinal_of: Callable[[str], int | None],
    ) -> None:
        """ordinal_of: that of an item's id, hidden ones included."""
        self._panel = panel
        self._prequential = prequential
        self._inputs = inputs
        self._shown = shown
        self._rounds = Periodic(_NAME, self._round, _ROUND_S, busy_share=_BUSY_SHARE)
        self._clicks = GroupConsumer(
            bootstrap_servers=bootstrap_servers,
            group=f"accuracy.{model_version}",
            topic=INTERACTIONS,
            decode=read_click,
            handle=unharmed(self._handle),
            publisher=publisher,
            on_failure=_failed,
            begin="latest",
            gather_s=_GATHER_S,
        )
        lists = ListSink(
            model_version,
            panel,
            self._clicks,
            shown=shown,
            variety=variety,
            ordinal_of=ordinal_of,
        )
        self._lists: TopicReader[ServedLists | None] = TopicReader(
            bootstrap_servers=bootstrap_servers,
            topic=IMPRESSIONS,
            since="now",
            decode=read_lists,
            apply=unharmed(lists),
            publisher=publisher,
            on_failure=_failed,
        )
        metrics.COVERAGE.set_function(variety.coverage)

    def start(self) -> None:
        for part in (self._rounds, self._clicks, self._lists):
            part.start()

    def stop(self, timeout_s: float) -> None:
        for part in (self._lists, self._clicks, self._rounds):
            part.stop(timeout_s)

    def _handle(self, messages: Sequence[Message[Click | None]]) -> None:
        clicks = [message.body for message in messages if message.body is not None]
        self._inputs.take(clicks)
        looked_at = [click for click in clicks if self._panel.has(click.user_id)]
        metrics.EVENTS.labels("not_sampled").inc(len(clicks) - len(looked_at))
        self._prequential.take(looked_at)
        self._shown.take(looked_at, time.time())
        self._rounds.wake()

    def _round(self) -> None:
        self._shown.settle(time.time())
        self._prequential.score()


def unharmed(
    take: Callable[[Sequence[Message[T]]], None],
) -> Callable[[Sequence[Message[T]]], Sequence[Refusal]]:
    """As `take`, but an error of ours loses a batch of measurements and no more.

    Else interactions that others have used would be put among the dead letters for it, and a reader
    would end.
    """

    def try_to_take(messages: Sequence[Message[T]]) -> Sequence[Refusal]:
        try:
            take(messages)
        except Exception:
            ROUND_FAILURES.labels(_NAME).inc()
            log.exception("not measured", extra={"records": len(messages)})
        return ()

    return try_to_take


class ListSink:
    """Hands served lists on, in the words of this package."""

    def __init__(
        self,
        model_version: str,
        panel: Panel,
        group: Group,
        *,
        shown: Shown,
        variety: Variety,
        ordinal_of: Callable[[str], int | None],
    ) -> None:
        """model_version: whose lists are taken; while two are released each has its rankers."""
        self._model_version = model_version
        self._panel = panel
        self._group = group
        self._shown = shown
        self._variety = variety
        self._ordinal_of = ordinal_of

    def __call__(self, messages: Sequence[Message[ServedLists | None]]) -> None:
        served_lists = [
            served
            for message in messages
            for served in (message.body.lists if message.body is not None else ())
        ]
        lists = [one for one in served_lists if one.model_version == self._model_version]
        metrics.LISTS.labels("elsewhere").inc(len(served_lists) - len(lists))
        ordinals = [
            [self._ordinal_of(one.item_id) for one in served.impressions] for served in lists
        ]
        # What somebody searched for says nothing of how much of the catalogue lists reach.
        self._variety.show(
            [
                known
                for served, found in zip(lists, ordinals, strict=True)
                if served.kind != LIST_KIND_SEARCH
                for known in found
                if known is not None
            ]
        )
        for served, found in zip(lists, ordinals, strict=True):
            self._take(served, found)

    def _take(self, served: ServedList, found: Sequence[int | None]) -> None:
        outcome = self._passed_over(served.user_id)
        if outcome:
            metrics.LISTS.labels(outcome).inc()
            return
        items = [
            ShownItem(
                ordinal,
                position,
                _SOURCES.get(one.source, metrics.OTHER),
                one.score if one.source == _SCORED else None,
            )
            for position, (one, ordinal) in enumerate(
                zip(served.impressions, found, strict=True), start=1
            )
            if ordinal is not None
        ]
        moment = served.served_at
        served_at = moment.seconds + moment.nanos / 1e9
        self._shown.show(ShownList(served.user_id, served_at, served.model_version, items))

    def _passed_over(self, user_id: str) -> str:
        """Empty: the list is to be remembered. Else why not."""
        if not user_id:
            return "nobody"
        if not self._panel.has(user_id):
            return "not_sampled"
        return "" if self._group.owns(user_id.encode()) else "elsewhere"


def read_lists(record: Record) -> ServedLists | None:
    """None where the record holds no lists; there are no dead letters of impressions."""
    try:
        return ServedLists.FromString(record.value or b"")
    except DecodeError:
        return None


def _failed(_error: BaseException) -> None:
    ROUND_FAILURES.labels(_NAME).inc()
