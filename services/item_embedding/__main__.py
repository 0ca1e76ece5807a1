"""The item_embedding process: `python -m services.item_embedding`."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial

from headrace.api.item_embedding.v1.item_embedding_pb2_grpc import (
    add_ItemEmbeddingServiceServicer_to_server,
)
from headrace.release.slot import model_of_slot
from headrace.runtime.grpc_server import grpc_server
from headrace.runtime.kafka_consumer import GroupConsumer
from headrace.runtime.kafka_publisher import Publisher
from headrace.runtime.periodic import Periodic
from headrace.runtime.process import Process, run_process
from headrace.runtime.share import Share
from headrace.runtime.topics import ITEMS
from headrace.store.database import Database
from services.item_embedding.announcing import Announcer
from services.item_embedding.catalogue import CatalogueItem
from services.item_embedding.catalogue_store import CatalogueStore
from services.item_embedding.consumer import ChangeHandler, decode, group
from services.item_embedding.encoder import BundleTower
from services.item_embedding.grpc import SERVICE, ItemEmbeddingServicer
from services.item_embedding.making import JustStored, VectorMaker
from services.item_embedding.messages import Changes
from services.item_embedding.outbox import DELIVERY_TIMEOUT_S, LINGER_S, ChangeOutbox, VectorOutbox
from services.item_embedding.picture_store import PictureStore
from services.item_embedding.recent import RecentItems
from services.item_embedding.search import Search
from services.item_embedding.search_store import PostgresSearch
from services.item_embedding.service import ItemEmbedding
from services.item_embedding.settings import ItemEmbeddingSettings
from services.item_embedding.sweeper import Sweeper
from services.item_embedding.vector_store import VectorStore

_WATCH_PERIOD_S = 1.0
_BUSY_SHARE = 0.05  # of the time: rounds take long on a large catalogue
# To look which pictures are wanted takes Postgres 80 ms where 100,000 items have theirs.
_SWEEPS_A_LOOK = 3
_POPULARITY_PERIOD_S = 60.0
_POPULARITY_BUSY_SHARE = 0.01  # a round reads the whole log
_POSTGRES_ANSWERED_WITHIN_S = 5.0


async def serve(settings: ItemEmbeddingSettings, process: Process) -> None:
    """Runs the service until it is told to stop."""
    peers = settings.peers()
    async with AsyncExitStack() as stack:
        grace_s = settings.shutdown_grace_s
        bundle = await stack.enter_async_context(model_of_slot(settings, process, ["item"]))
        tower = BundleTower(bundle)
        database = Database(settings.database_url, settings.database_connections)
        stack.callback(database.close)
        recent = RecentItems()
        catalogue = CatalogueStore(database, recent)
        vectors = VectorStore(database, tower.model_version, recent, looks=bundle.items.looks)
        messages = Changes()
        changes = ChangeOutbox(catalogue, await _publisher(settings, stack), messages)
        outbox = VectorOutbox(vectors, await _publisher(settings, stack), tower, messages)
        maker = VectorMaker(vectors, tower, outbox.publish_new)
        just_stored = JustStored(maker)
        sweeper = Sweeper(vectors, tower, outbox.publish_all, Share(settings.sweep_share))

        watch = Periodic("watch_postgres", database.check, _WATCH_PERIOD_S)
        # What fails here is tried again whatever it is: one item that cannot be embedded must not
        # keep the catalogue from being served.
        making = Periodic("make_vectors", just_stored.make, settings.sweep_period_s)
        publishing = Periodic(
            "publish_changes",
            changes.publish_all,
            settings.sweep_period_s,
            busy_share=_BUSY_SHARE,
        )
        sweeps = Periodic(
            "sweep_vectors", sweeper.sweep, settings.sweep_period_s, busy_share=_BUSY_SHARE
        )
        searches = PostgresSearch(database)
        popularity = Periodic(
            "refresh_popularity",
            searches.refresh_popularity,
            _POPULARITY_PERIOD_S,
            busy_share=_POPULARITY_BUSY_SHARE,
        )
        for periodic in (watch, making, publishing, sweeps, popularity):
            periodic.start()
            stack.push_async_callback(asyncio.to_thread, periodic.stop, grace_s)
        stack.callback(sweeper.stop)
        if settings.origins():

            def changed(item: CatalogueItem) -> None:
                just_stored.put([item])
                making.wake()
                publishing.wake()

            _fetch_pictures(settings, stack, PictureStore(database, recent), changed)

        consumer = GroupConsumer(
            bootstrap_servers=settings.kafka(),
            group=group(tower.model_version),
            topic=ITEMS,
            decode=decode,
            handle=ChangeHandler(catalogue, maker).handle,
            publisher=await _publisher(settings, stack),
            on_failure=process.fail,
        )
        consumer.start()
        stack.push_async_callback(asyncio.to_thread, consumer.stop, grace_s)

        service = ItemEmbedding(
            catalogue,
            vectors,
            tower,
            announce=Announcer(just_stored, making, publishing).announce,
            vectors_stored=sweeps.wake,
        )
        servicer = ItemEmbeddingServicer(service, Search(searches, tower), tower, messages)
        await stack.enter_async_context(
            grpc_server(
                host=settings.host,
                port=settings.grpc_port,
                services=[SERVICE],
                register=partial(add_ItemEmbeddingServiceServicer_to_server, servicer),
                readiness=process.readiness,
                grace_s=grace_s,
                certificates=peers,
            )
        )
        process.readiness.require(
            "postgres", lambda: watch.succeeded_within(_POSTGRES_ANSWERED_WITHIN_S)
        )
        process.readiness.require("items", consumer.joined)
        process.readiness.require("item_vectors", sweeper.complete)
        await process.until_told_to_stop()


async def _publisher(settings: ItemEmbeddingSettings, stack: AsyncExitStack) -> Publisher:
    publisher = await asyncio.to_thread(
        Publisher, settings.kafka(), DELIVERY_TIMEOUT_S, linger_s=LINGER_S
    )
    stack.push_async_callback(asyncio.to_thread, publisher.close)
    return publisher


def _fetch_pictures(
    settings: ItemEmbeddingSettings,
    stack: AsyncExitStack,
    store: PictureStore,
    changed: Callable[[CatalogueItem], None],
) -> None:
    """Again and again, as long as the stack lives."""
    # Imported here: decoders take 9 MiB, which most shops need not have.
    from services.item_embedding.picture_fetch import PictureFetch  # noqa: PLC0415
    from services.item_embedding.picture_rounds import PictureRounds  # noqa: PLC0415

    origins = settings.origins()
    pictures = PictureRounds(store, origins, PictureFetch(origins).get, changed)
    rounds = Periodic("fetch_pictures", pictures.fetch, _SWEEPS_A_LOOK * settings.sweep_period_s)
    rounds.start()
    stack.push_async_callback(asyncio.to_thread, rounds.stop, settings.shutdown_grace_s)
    stack.callback(pictures.stop)


def main() -> None:
    run_process("item_embedding", ItemEmbeddingSettings, serve)


if __name__ == "__main__":
    main()
