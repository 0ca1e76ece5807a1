"""A gateway whose accounts and keys are on a real Postgres, as an application reaches it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from headrace.runtime.readiness import Readiness
from headrace.store.database import Database
from services.gateway.access import Access
from services.gateway.accounts.application_keys import ApplicationKeys
from services.gateway.accounts.key_routes import key_routes
from services.gateway.accounts.key_store import KeyStore
from services.gateway.directory import Directory
from services.gateway.directory_feed import DirectoryFeed
from services.gateway.http import BodyLimits, build_app
from tests.unit.gateway.memory import KEYS, TOKENS, World


class Replica:
    """One of several gateways on one database."""

    def __init__(self, dsn: str) -> None:
        self.database = Database(dsn, size=8, wait_s=5)
        self.directory = Directory()
        self.feed = DirectoryFeed(self.directory, self.database)
        self.access = Access(KEYS, TOKENS, self.directory)
        self.keys = ApplicationKeys(KeyStore(self.database), self.directory)
        self.world = World()

    @asynccontextmanager
    async def http(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client of its HTTP door."""
        app = build_app(
            self.world.gateway,
            self.access,
            Readiness(),
            BodyLimits(200_000, 200_000),
            doors=[key_routes(self.keys, self.access)],
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            yield client
