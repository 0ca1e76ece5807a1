"""A gateway whose accounts and keys are on a real Postgres, and mails at a real SMTP server."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import grpc
import httpx

from headrace.api.accounts.v1.accounts_pb2_grpc import add_AccountServiceServicer_to_server
from headrace.api.accounts.v1.keys_pb2_grpc import add_KeyServiceServicer_to_server
from headrace.api.gateway.v1.gateway_pb2_grpc import add_GatewayServiceServicer_to_server
from headrace.api.history.v1.history_pb2_grpc import add_HistoryServiceServicer_to_server
from headrace.api.privacy.v1.privacy_pb2_grpc import add_PrivacyServiceServicer_to_server
from headrace.local.ports import HOST, free_ports
from headrace.local.waiting import wait_until
from headrace.runtime.grpc_server import grpc_server
from headrace.runtime.kafka_records import Record
from headrace.runtime.readiness import Readiness
from headrace.store.database import Database
from headrace.store.forgetting import Memory
from services.event_ingest.consumer import decode_event
from services.event_ingest.log import EventLog
from services.event_ingest.service import EventIngest
from services.gateway.access import Access
from services.gateway.accounts.grpc import ACCOUNTS, AccountServicer
from services.gateway.accounts.key_grpc import KEYS as KEY_SERVICE
from services.gateway.accounts.key_grpc import KeyServicer
from services.gateway.accounts.key_routes import key_routes
from services.gateway.accounts.limits import MEMORY
from services.gateway.accounts.parts import AccountParts, account_parts
from services.gateway.accounts.routes import account_routes
from services.gateway.accounts.visit_store import VisitEvent
from services.gateway.directory import Directory
from services.gateway.directory_feed import DirectoryFeed
from services.gateway.events.kafka_log import retraction_record, visit_record
from services.gateway.grpc import SERVICE, GatewayServicer
from services.gateway.history.grpc import HISTORY, HistoryServicer
from services.gateway.history.routes import history_routes
from services.gateway.history.service import History
from services.gateway.history.store import HistoryStore
from services.gateway.http import BodyLimits, build_app
from services.gateway.privacy.choice_feed import ChoiceFeed
from services.gateway.privacy.grpc import PRIVACY, PrivacyServicer
from services.gateway.privacy.parts import privacy_parts
from services.gateway.privacy.routes import privacy_routes
from services.gateway.privacy.service import Privacy
from services.gateway.settings import GatewaySettings
from tests.unit.gateway.memory import KEYS, TOKENS, World

PASSWORD = "correct horse battery"
DEADLINE_S = 20.0


class MailBox:
    """The folder of a mail server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def text(self, number: int, to: str = "") -> str:
        """The text of the mail of this number, from 1 on, to somebody; waits for it."""
        assert await asyncio.to_thread(wait_until, lambda: len(self._to(to)) >= number, DEADLINE_S)
        message = message_from_bytes(self._to(to)[number - 1].read_bytes(), policy=policy.default)
        body = message.get_body()
        assert body is not None
        return f"{message['subject']}\n{body.get_content()}"

    async def token(self, number: int, to: str = "") -> str:
        """The token in it."""
        found = re.search(r"#token=(\S+)", await self.text(number, to))
        assert found is not None, await self.text(number, to)
        return found.group(1)

    def count(self, to: str) -> int:
        """How many have come to somebody."""
        return len(self._to(to))

    def _to(self, to: str) -> list[Path]:
        return sorted(self._folder.glob(f"*{to}.eml"))


class VisitLog:
    """What was sent of visits."""

    def __init__(self) -> None:
        self.events: list[VisitEvent] = []

    async def append(self, events: Sequence[VisitEvent]) -> None:
        self.events.extend(events)


class IngestedLog:
    """The event log as far as Postgres: what is sent is ingested at once."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.ingest = EventIngest(EventLog(database))

    async def append(self, events: Sequence[VisitEvent]) -> None:
        self.take([(one.user_id, visit_record(one)) for one in events])

    async def retract(self, user_id: str, event_ids: Sequence[str]) -> None:
        now = datetime.now(UTC)
        self.take([(user_id, retraction_record(user_id, one, now)) for one in event_ids])

    def take(self, records: Sequence[tuple[str, bytes]]) -> None:
        decoded = [
            decode_event(Record("events", 0, at, 0, user.encode(), value))
            for at, (user, value) in enumerate(records)
        ]
        assert {one.kind for one in self.ingest.ingest(decoded)} <= {"stored", "repeated"}


class Replica:
    """One of several gateways on one database."""

    def __init__(
        self,
        dsn: str,
        smtp_url: str,
        kafka: str = "127.0.0.1:1",
        rate_limits_url: str = MEMORY,
    ) -> None:
        self.settings = GatewaySettings(
            ranker_address="127.0.0.1:1",
            item_embedding_address="127.0.0.1:1",
            kafka_bootstrap_servers=kafka,
            database_url=dsn,
            api_keys="",
            token_keys="",
            smtp_url=smtp_url,
            rate_limits_url=rate_limits_url,
        )
        self.database = Database(dsn, size=8, wait_s=5)
        self.directory = Directory()
        self.feed = DirectoryFeed(self.directory, self.database)
        self.access = Access(KEYS, TOKENS, self.directory)
        self.world = World()
        self.choices = ChoiceFeed(self.world.choices, self.database)
        self.memories: list[Memory] = [TOKENS]
        self.privacy: Privacy
        self.visits = VisitLog()
        self.log = IngestedLog(self.database)
        self.history = History(HistoryStore(self.database), self.log.retract)
        self.parts: AccountParts | None = None

    @asynccontextmanager
    async def running(self, host: str = "203.0.113.7") -> AsyncIterator[httpx.AsyncClient]:
        """A client of its HTTP door, whose calls come from `host`."""
        async with AsyncExitStack() as stack:
            self.parts = await stack.enter_async_context(
                account_parts(
                    self.settings, self.database, TOKENS, self.directory, self.visits.append
                )
            )
            self.privacy = await stack.enter_async_context(
                privacy_parts(
                    self.settings,
                    self.database,
                    self.parts,
                    self.directory,
                    choices=self.world.choices,
                    memories=self.memories,
                )
            )
            yield await stack.enter_async_context(self.client(host))

    @asynccontextmanager
    async def client(self, host: str) -> AsyncIterator[httpx.AsyncClient]:
        """Another client of it while it runs, at another place."""
        assert self.parts is not None
        app = build_app(
            self.world.gateway,
            self.access,
            Readiness(),
            BodyLimits(200_000, 200_000),
            doors=[
                account_routes(self.parts.accounts, self.parts.visits, self.access),
                key_routes(self.parts.keys, self.access),
                history_routes(self.history, self.access),
                privacy_routes(self.privacy, self.access),
            ],
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(host, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            yield client


@asynccontextmanager
async def grpc_address(replica: Replica) -> AsyncIterator[str]:
    """Its gRPC door, while it runs."""
    assert replica.parts is not None
    parts, access = replica.parts, replica.access
    (port,) = free_ports(1)

    def register(server: grpc.aio.Server) -> None:
        add_GatewayServiceServicer_to_server(GatewayServicer(replica.world.gateway, access), server)
        add_AccountServiceServicer_to_server(
            AccountServicer(parts.accounts, parts.visits, access), server
        )
        add_KeyServiceServicer_to_server(KeyServicer(parts.keys, access), server)
        add_HistoryServiceServicer_to_server(HistoryServicer(replica.history, access), server)
        add_PrivacyServiceServicer_to_server(PrivacyServicer(replica.privacy, access), server)

    async with grpc_server(
        host=HOST,
        port=port,
        services=[SERVICE, ACCOUNTS, KEY_SERVICE, HISTORY, PRIVACY],
        register=register,
        readiness=Readiness(),
        grace_s=1,
    ):
        yield f"{HOST}:{port}"


class Person:
    """Somebody at a browser: knows an address and a password, and reads mails."""

    def __init__(self, http: httpx.AsyncClient, mails: MailBox, email: str) -> None:
        self.http = http
        self.mails = mails
        self.email = email
        self.password = PASSWORD
        self.session: dict[str, Any] = {}

    async def register(self) -> None:
        """Up to a session: registers, reads the mail, confirms."""
        body = {"email": self.email, "password": self.password, "name": "Ann"}
        answer = await self.http.post("/v1/accounts", json=body)
        assert answer.status_code == 202, answer.text
        token = await self.mails.token(1, self.email)
        self._keep(await self.post("confirm", token=token, password=self.password))

    async def log_in(self) -> None:
        self._keep(await self.post("log-in", email=self.email, password=self.password))

    async def refresh(self) -> httpx.Response:
        answer = await self.post("refresh", refresh_token=self.session["refresh_token"])
        if answer.is_success:
            self._keep(answer)
        return answer

    async def post(self, what: str, **body: Any) -> httpx.Response:
        return await self.http.post(f"/v1/accounts/{what}", json=body)

    @property
    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.session['access_token']}"}

    async def me(self) -> httpx.Response:
        return await self.http.get("/v1/me", headers=self.bearer)

    def _keep(self, answer: httpx.Response) -> None:
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers  # so no other page can act in their name
        self.session = answer.json()


NewPerson = Callable[[str], Person]
