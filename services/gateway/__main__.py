"""The gateway's process: `python -m services.gateway`."""

import asyncio
import logging
from contextlib import AsyncExitStack
from functools import partial

from headrace.api.accounts.v1.accounts_pb2_grpc import add_AccountServiceServicer_to_server
from headrace.api.accounts.v1.keys_pb2_grpc import add_KeyServiceServicer_to_server
from headrace.api.behaviour.v1.behaviour_pb2_grpc import add_BehaviourServiceServicer_to_server
from headrace.api.gateway.v1.catalogue_pb2_grpc import add_CatalogueServiceServicer_to_server
from headrace.api.gateway.v1.console_pb2_grpc import add_ConsoleServiceServicer_to_server
from headrace.api.gateway.v1.gateway_pb2_grpc import add_GatewayServiceServicer_to_server
from headrace.api.history.v1.history_pb2_grpc import add_HistoryServiceServicer_to_server
from headrace.api.privacy.v1.privacy_pb2_grpc import add_PrivacyServiceServicer_to_server
from headrace.errors import Unavailable
from headrace.runtime.circuit import Circuit
from headrace.runtime.grpc_server import grpc_server, registering
from headrace.runtime.kafka_publisher import Publisher
from headrace.runtime.process import Process, run_process
from headrace.store.database import Database
from services.gateway.access import Access
from services.gateway.accounts.account_store import AccountStore
from services.gateway.accounts.grpc import ACCOUNTS, AccountServicer
from services.gateway.accounts.interests import StoredInterests
from services.gateway.accounts.key_grpc import KEYS, KeyServicer
from services.gateway.accounts.key_routes import key_routes
from services.gateway.accounts.parts import account_parts
from services.gateway.accounts.routes import account_routes
from services.gateway.batches.segments import StoredSegments
from services.gateway.batches.service import Batches
from services.gateway.behaviour.grpc import BEHAVIOUR, BehaviourServicer
from services.gateway.behaviour.routes import behaviour_routes
from services.gateway.behaviour.service import Behaviour
from services.gateway.behaviour.store import BehaviourStore
from services.gateway.catalogue.discovery import Discovery
from services.gateway.catalogue.grpc import CATALOGUE, CatalogueServicer
from services.gateway.catalogue.items import Items
from services.gateway.catalogue.routes import catalogue_routes
from services.gateway.catalogue.upstream import GrpcFinder, GrpcOpinions
from services.gateway.console.grpc import CONSOLE, ConsoleServicer
from services.gateway.console.item_store import StoredItemFacts
from services.gateway.console.live import Live
from services.gateway.console.live_source import ItemIds, interactions
from services.gateway.console.routes import console_routes
from services.gateway.console.service import Console
from services.gateway.console.upstream import GrpcInspector
from services.gateway.directory import Directory
from services.gateway.directory_feed import DirectoryFeed
from services.gateway.events.kafka_log import KafkaEventLog
from services.gateway.events.service import Events
from services.gateway.fallback import Fallback, PersonalLists, PopularLists
from services.gateway.grpc import SERVICE, GatewayServicer
from services.gateway.history.grpc import HISTORY, HistoryServicer
from services.gateway.history.routes import history_routes
from services.gateway.history.service import History
from services.gateway.history.store import HistoryStore
from services.gateway.history.stored_unwanted import StoredUnwanted
from services.gateway.http import BodyLimits, build_app
from services.gateway.http_server import http_server
from services.gateway.impressions import LINGER_S, ImpressionLog
from services.gateway.keys import ApiKeys
from services.gateway.listing import Lists
from services.gateway.privacy.choice_feed import ChoiceFeed
from services.gateway.privacy.choices import Choices
from services.gateway.privacy.grpc import PRIVACY, PrivacyServicer
from services.gateway.privacy.parts import privacy_parts
from services.gateway.privacy.routes import privacy_routes
from services.gateway.releases.parts import release_parts
from services.gateway.service import Gateway
from services.gateway.settings import GatewaySettings
from services.gateway.storefront import storefront_routes
from services.gateway.tokens import Tokens
from services.gateway.tombstones import Tombstones
from services.gateway.upstream import GrpcCatalogue

log = logging.getLogger(__name__)

_REFRESH_S = 5.0
_FIRST_REFRESH_S = 0.25  # until there is a list at all


async def serve(settings: GatewaySettings, process: Process) -> None:
    doors, kafka = settings.doors(), settings.kafka()
    async with AsyncExitStack() as stack:
        events = KafkaEventLog(kafka, settings.events_deadline_ms / 1000)
        events.start()
        stack.push_async_callback(asyncio.to_thread, events.close)
        process.readiness.require("kafka", events.connected)

        impressions = ImpressionLog(partial(Publisher, kafka, linger_s=LINGER_S))
        impressions.start()
        stack.push_async_callback(
            asyncio.to_thread, impressions.close, settings.shutdown_grace_s / 2
        )

        database = Database(settings.database_url, settings.database_connections, wait_s=2)
        stack.callback(database.close)
        interests = StoredInterests(AccountStore(database))
        models = await release_parts(settings, process, database, interests, stack)
        ranker, items = models.ranker, models.items
        choices = await _choices(database, stack, settings.shutdown_grace_s)
        popular = PopularLists()
        process.readiness.require("ranker", popular.filled)
        personal = PersonalLists(settings.remembered_places)
        counting = Database(settings.database_url, 1)
        stack.callback(counting.close)
        tombstones = Tombstones()
        unwanted = StoredUnwanted(HistoryStore(database))
        gateway = Gateway(
            lists=Lists(
                ranker=models.lanes,
                fallback=Fallback(personal, popular),
                tombstones=tombstones,
                circuit=Circuit("ranker"),
                impressions=impressions,
                choices=choices,
                unwanted=unwanted,
            ),
            events=Events(events, choices, unwanted),
            batches=Batches(
                ranker=models.lanes,
                tombstones=tombstones,
                choices=choices,
                unwanted=unwanted,
                segments=StoredSegments(counting),
                impressions=impressions,
            ),
            items=Items(GrpcCatalogue(items, settings.item_embedding_deadline_ms), tombstones),
        )
        refreshing = asyncio.create_task(_keep_popular_fresh(gateway.lists, popular))
        stack.callback(refreshing.cancel)

        discovery = Discovery(
            GrpcFinder(items, settings.item_embedding_deadline_ms),
            GrpcOpinions(ranker, settings.ranker_deadline_ms),
            choices,
            impressions,
        )
        behaviour = Behaviour(BehaviourStore(database))
        live = Live(partial(interactions, kafka, ItemIds(database)))
        directory = Directory()
        tokens = Tokens.parse(settings.token_keys)
        access = Access(ApiKeys.parse(settings.api_keys), tokens, directory)
        feed = DirectoryFeed(directory, database).periodic()
        feed.start()
        stack.push_async_callback(asyncio.to_thread, feed.stop, settings.shutdown_grace_s)
        people = await stack.enter_async_context(
            account_parts(settings, database, tokens, directory, events.append_visits)
        )
        history = History(HistoryStore(database), events.append_retractions)
        console = Console(
            gateway=gateway,
            inspector=GrpcInspector(ranker, settings.after_wait_ms),
            interests=interests,
            history=history,
            facts=StoredItemFacts(database),
            similar=models.lanes.similar,
        )
        privacy = await stack.enter_async_context(
            privacy_parts(
                settings,
                database,
                people,
                directory,
                choices=choices,
                memories=[personal, interests, impressions, tokens],
            )
        )
        await stack.enter_async_context(
            grpc_server(
                host=settings.host,
                port=settings.grpc_port,
                services=[
                    SERVICE,
                    CATALOGUE,
                    BEHAVIOUR,
                    ACCOUNTS,
                    KEYS,
                    HISTORY,
                    PRIVACY,
                    CONSOLE,
                ],
                register=registering(
                    [
                        partial(
                            add_GatewayServiceServicer_to_server, GatewayServicer(gateway, access)
                        ),
                        partial(
                            add_CatalogueServiceServicer_to_server,
                            CatalogueServicer(discovery, gateway.items.upsert, access),
                        ),
                        partial(
                            add_BehaviourServiceServicer_to_server,
                            BehaviourServicer(behaviour, access),
                        ),
                        partial(
                            add_AccountServiceServicer_to_server,
                            AccountServicer(people.accounts, people.visits, access),
                        ),
                        partial(add_KeyServiceServicer_to_server, KeyServicer(people.keys, access)),
                        partial(
                            add_HistoryServiceServicer_to_server, HistoryServicer(history, access)
                        ),
                        partial(
                            add_PrivacyServiceServicer_to_server,
                            PrivacyServicer(privacy, access),
                        ),
                        partial(
                            add_ConsoleServiceServicer_to_server,
                            ConsoleServicer(console, live, access),
                        ),
                    ],
                ),
                readiness=process.readiness,
                grace_s=settings.shutdown_grace_s,
                certificates=doors,
            )
        )
        limits = BodyLimits(events=settings.events_body_bytes, items=settings.items_body_bytes)
        await stack.enter_async_context(
            http_server(
                build_app(
                    gateway,
                    access,
                    process.readiness,
                    limits,
                    cors_origins=settings.allowed_origins,
                    doors=[
                        catalogue_routes(discovery, gateway.items.upsert, access),
                        behaviour_routes(behaviour, access),
                        account_routes(people.accounts, people.visits, access),
                        key_routes(people.keys, access),
                        history_routes(history, access),
                        privacy_routes(privacy, access),
                        console_routes(console, live, access),
                        storefront_routes(),
                    ],
                ),
                host=settings.host,
                port=settings.http_port,
                grace_s=settings.shutdown_grace_s,
                certificates=doors,
            )
        )
        stack.callback(live.close)  # before the doors, which wait for answers to end
        log.info("listening", extra={"http": settings.http_port, "grpc": settings.grpc_port})
        await process.until_told_to_stop()


async def _choices(database: Database, stack: AsyncExitStack, grace_s: float) -> Choices:
    """Who does not want personal lists, read once before the first list where Postgres answers."""
    choices = Choices()
    feed = ChoiceFeed(choices, database)
    try:
        await asyncio.to_thread(feed.round)
    except Unavailable as error:
        log.warning("lists are general until Postgres answers: %s", error)
    rounds = feed.periodic()
    rounds.start()
    stack.push_async_callback(asyncio.to_thread, rounds.stop, grace_s)
    return choices


async def _keep_popular_fresh(lists: Lists, popular: PopularLists) -> None:
    while True:
        try:
            await lists.refresh_popular()
        except Exception:
            # A list that is not fresh is better than none; the next round may do.
            log.exception("popular lists were not refreshed")
        await asyncio.sleep(_REFRESH_S if popular.has_items() else _FIRST_REFRESH_S)


def main() -> None:
    run_process("gateway", GatewaySettings, serve)


if __name__ == "__main__":
    main()
