"""What a ranker tells of itself is what it holds."""

from dataclasses import dataclass

from pyroaring import BitMap

from headrace.bundle.manifest import Manifest
from headrace.index.vector_index import IndexSizes
from services.ranker.condition import Condition, ReaderStatus
from services.ranker.inspection_grpc import status_message
from tests.unit.ranker.world import World, item, user

MANIFEST = Manifest(
    format=1, model_version="m1", created_at="2026-01-31", width=8, user_width=8, state_width=8,
    tower="gru", max_sequence=16, event_types={"0": 0}, ranking="ncf", rating_trained=False,
    features=(), items=40, data_sha256="", split_sha256="", metrics={"HR@10": 0.25}, training={},
    graphs={}, files={},
)  # fmt: skip


@dataclass
class Followed:
    """A reader that stands still."""

    topic: str
    lag: int | None

    def caught_up(self) -> bool:
        return self.lag == 0


async def test_it_counts_what_it_holds() -> None:
    world = World()
    world.catalogue.apply([item(39, revision=2, deleted=True)])
    world.embedding.vectors["ann"] = user("ann")
    await world.people.vector("ann")
    world.trending.loaded_at = 1_000.0
    condition = Condition(
        manifest=MANIFEST,
        started_at=500.0,
        catalogue=world.catalogue,
        indexes={"retrieval": world.retrieval},
        cache=world.cache,
        filters=lambda: 2,
        trending=world.trending,
        readers=(Followed("item-vectors.m1", 0), Followed("user-vectors.m1", None)),
    )
    now = condition.now()
    assert (now.items_known, now.items_shown) == (40, 39)
    assert now.indexes == {"retrieval": IndexSizes(39, 0, 0)}
    assert (now.people, now.people_bytes) == (1, world.cache.size_bytes)
    assert now.readers[1] == ReaderStatus("user-vectors.m1", caught_up=False, lag=None)
    message = status_message(now)
    assert message.model.metrics["HR@10"] == 0.25
    assert message.trending_loaded_at.seconds == 1_000
    assert [one.HasField("lag") for one in message.readers] == [True, False]
    assert BitMap(range(40)) == world.catalogue.known
