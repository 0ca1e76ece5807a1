"""The ranker process: `python -m services.ranker`."""

import os

# numpy's BLAS reads it when it is loaded. A list is computed by one thread; matrices this small
# (300 x 50) only lose by being split, 8 ms instead of 0.3 ms where the other core is busy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from functools import partial

import faiss

from headrace.api.ranker.v1.inspection_pb2_grpc import add_InspectionServiceServicer_to_server
from headrace.api.ranker.v1.ranker_pb2_grpc import add_RankerServiceServicer_to_server
from headrace.api.ranker.v1.scoring_pb2_grpc import add_ScoringServiceServicer_to_server
from headrace.index.choice import index_by_size
from headrace.index.layered import LayeredIndex
from headrace.release.slot import model_of_slot
from headrace.runtime.grpc_channel import open_channel
from headrace.runtime.grpc_server import grpc_server, registering
from headrace.runtime.kafka_publisher import Publisher
from headrace.runtime.kafka_reader import TopicReader
from headrace.runtime.periodic import Periodic
from headrace.runtime.process import Process, run_process
from headrace.runtime.share import Share
from headrace.runtime.topics import item_vectors, user_vectors
from headrace.store.database import Database
from headrace.store.forgetting import Forgetting
from services.ranker import feeds, metrics
from services.ranker.accuracy.build import lists_shown, live_accuracy, people_before
from services.ranker.accuracy.places import Places
from services.ranker.batches import Batches
from services.ranker.catalogue import Catalogue, ItemVersion
from services.ranker.condition import Condition
from services.ranker.grpc import SERVICE, RankerServicer
from services.ranker.inspection_grpc import INSPECTION, InspectionServicer
from services.ranker.lists import ListMaker
from services.ranker.neighbours import Neighbours
from services.ranker.opinions import Opinions
from services.ranker.people import People
from services.ranker.people_in_memory import PeopleInMemory
from services.ranker.scoring import Scorer
from services.ranker.scoring_grpc import SCORING, ScoringServicer
from services.ranker.service import Ranker
from services.ranker.settings import RankerSettings
from services.ranker.trending import Trending
from services.ranker.user_embedding import UserEmbeddingClient
from services.ranker.users import UserCache, UserVector

# Trends, windows and forgetting: each may ask Postgres while the others do.
_DATABASE_CONNECTIONS = 3


async def serve(settings: RankerSettings, process: Process) -> None:
    """Runs the service until it is told to stop."""
    began = time.time()
    peers, kafka = settings.peers(), settings.kafka()
    async with AsyncExitStack() as stack:
        bundle = await stack.enter_async_context(model_of_slot(settings, process, ["ranker"]))
        retrieval = _index("retrieval", bundle.width + 1, settings, stack)
        similar = _index("similar", bundle.width, settings, stack)
        catalogue = Catalogue(bundle.width, bundle.items, retrieval, similar)
        metrics.watch_catalogue(catalogue)
        cache = UserCache(settings.user_cache_mb * 1_000_000, asyncio.get_running_loop())
        metrics.watch_cache(cache)
        trending = Trending()
        before = people_before(settings)

        database = Database(settings.database_url, _DATABASE_CONNECTIONS)
        stack.callback(database.close)
        publisher = await asyncio.to_thread(Publisher, kafka)
        stack.push_async_callback(asyncio.to_thread, publisher.close)
        items: TopicReader[ItemVersion] = TopicReader(
            bootstrap_servers=kafka,
            topic=item_vectors(bundle.model_version),
            since="beginning",
            decode=feeds.item_decoder(bundle.model_version, bundle.width),
            apply=feeds.item_sink(catalogue),
            publisher=publisher,
            on_failure=process.fail,
        )
        users: TopicReader[UserVector | feeds.Gone] = TopicReader(
            bootstrap_servers=kafka,
            topic=user_vectors(bundle.model_version),
            since="now",
            decode=feeds.user_decoder(bundle.model_version, bundle.user_width),
            apply=feeds.user_sink(cache, before.came),
            publisher=publisher,
            on_failure=process.fail,
        )
        trends = _trends(settings, trending, database)
        for part in (trends, _windows(settings, trending, database), items, users):
            part.start()
            stack.push_async_callback(asyncio.to_thread, part.stop, settings.shutdown_grace_s)

        channel = await stack.enter_async_context(
            open_channel(settings.user_embedding_address, peers)
        )
        embedding = UserEmbeddingClient(
            channel,
            bundle.model_version,
            bundle.user_width,
            settings.user_embedding_timeout_ms / 1_000,
        )
        neighbours = Neighbours(cache, bundle.width)
        shown = lists_shown(settings)
        memory = PeopleInMemory([cache, before, shown], neighbours)
        _forgetting(settings, memory, database, stack)
        scorer = Scorer(bundle.ranker, catalogue, bundle.known)
        people = People(cache, embedding)
        threads = _threads(settings.compute_threads, "compute", stack)
        lists = ListMaker(
            catalogue=catalogue,
            retrieval=retrieval,
            similar=similar,
            scorer=scorer,
            trending=trending,
            neighbours=neighbours,
            candidates=settings.candidates,
        )
        ranker = Ranker(
            model_version=bundle.model_version,
            catalogue=catalogue,
            people=people,
            lists=lists,
            neighbours=neighbours,
            threads=threads,
            loaded=items.caught_up,
        )
        batches = Batches(
            model_version=bundle.model_version,
            lists=lists,
            vectors=embedding,
            threads=_threads(1, "batch", stack),
            share=Share(settings.batch_share),
            loaded=items.caught_up,
        )
        opinions = Opinions(
            model_version=bundle.model_version,
            catalogue=catalogue,
            retrieval=retrieval,
            similar=similar,
            scorer=scorer,
            people=people,
            threads=threads,
            loaded=items.caught_up,
        )
        if settings.accuracy_share:
            places = Places(catalogue, retrieval, scorer, trending, settings.candidates)
            accuracy = live_accuracy(
                settings, bundle.model_version, publisher, before, places, shown=shown
            )
            accuracy.start()
            stack.push_async_callback(asyncio.to_thread, accuracy.stop, settings.shutdown_grace_s)
        condition = Condition(
            manifest=bundle.manifest,
            started_at=began,
            catalogue=catalogue,
            indexes={"retrieval": retrieval, "similar": similar},
            cache=cache,
            filters=lambda: lists.filters,
            trending=trending,
            readers=(items, users),
        )
        process.readiness.require("item_vectors", items.caught_up)
        process.readiness.require("user_vectors", users.caught_up)
        process.readiness.require("trending", trends.succeeded)
        await stack.enter_async_context(
            grpc_server(
                host=settings.host,
                port=settings.grpc_port,
                services=[SERVICE, SCORING, INSPECTION],
                register=registering(
                    [
                        partial(
                            add_RankerServiceServicer_to_server, RankerServicer(ranker, batches)
                        ),
                        partial(
                            add_ScoringServiceServicer_to_server,
                            ScoringServicer(opinions, bundle.width),
                        ),
                        partial(
                            add_InspectionServiceServicer_to_server,
                            InspectionServicer(ranker, condition),
                        ),
                    ],
                ),
                readiness=process.readiness,
                grace_s=settings.shutdown_grace_s,
                certificates=peers,
            )
        )
        await process.until_told_to_stop()


def _index(name: str, width: int, settings: RankerSettings, stack: AsyncExitStack) -> LayeredIndex:
    index = index_by_size(width, settings.index_exact_up_to)
    stack.push_async_callback(asyncio.to_thread, index.close)
    metrics.watch_index(name, index)
    return index


def _trends(settings: RankerSettings, trending: Trending, database: Database) -> Periodic:
    return Periodic(
        "read_trend",
        partial(
            trending.refresh,
            database,
            half_life_s=settings.trending_half_life_h * 3_600,
            window_s=settings.trending_window_h * 3_600,
        ),
        settings.trending_refresh_s,
        # With many counts it happens less often, instead of keeping Postgres busy.
        busy_share=0.05,
    )


def _windows(settings: RankerSettings, trending: Trending, database: Database) -> Periodic:
    refresh = partial(trending.refresh_windows, database)
    return Periodic("read_windows", refresh, settings.trending_windows_refresh_s, busy_share=0.05)


def _forgetting(
    settings: RankerSettings, memory: PeopleInMemory, database: Database, stack: AsyncExitStack
) -> None:
    forgetting = Forgetting(database, "ranker", memory)
    rounds = forgetting.periodic()
    rounds.start()
    stack.push_async_callback(asyncio.to_thread, forgetting.leave)
    stack.push_async_callback(asyncio.to_thread, rounds.stop, settings.shutdown_grace_s)


def _threads(count: int, name: str, stack: AsyncExitStack) -> ThreadPoolExecutor:
    threads = ThreadPoolExecutor(
        count,
        thread_name_prefix=name,
        # One query is searched by one thread; FAISS would wake one for every core.
        initializer=partial(faiss.omp_set_num_threads, 1),
    )
    stack.push_async_callback(asyncio.to_thread, threads.shutdown)
    return threads


def main() -> None:
    run_process("ranker", RankerSettings, serve)


if __name__ == "__main__":
    main()
