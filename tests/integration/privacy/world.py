"""Somebody of whom every table and every topic tells something, and a gateway that knows them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from pyroaring import BitMap

from headrace.api.events.v1.events_pb2 import Event, EventType, Interaction
from headrace.api.impressions.v1.impressions_pb2 import Impression, ServedList, ServedLists
from headrace.api.vectors.v1.vectors_pb2 import UserVector
from headrace.runtime.dead_letters import to_dead_letter
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.kafka_records import Record, Refusal
from headrace.runtime.topics import EVENTS, IMPRESSIONS, INTERACTIONS, user_vectors
from headrace.store.database import Database
from services.event_ingest.log import EventLog
from services.event_ingest.service import EventIngest
from services.gateway.tokens import ACCESS_S, Claims, Kind
from tests.integration.event_ingest.world import Postgres
from tests.integration.gateway.account_world import Replica
from tests.unit.event_ingest.builders import given
from tests.unit.gateway.memory import TOKENS

MODEL = "m-privacy"
HASH = "argon2-hash-of-the-password"


class World:
    """A gateway on real servers whose topics are those of the system."""

    def __init__(self, dsn: str, kafka: str) -> None:
        self.dsn = dsn
        self.kafka = kafka
        self.store = Postgres(dsn)
        self.database = Database(dsn, 4)
        self.ingest = EventIngest(EventLog(self.database))
        self.publisher = Publisher(kafka)
        self.replica = Replica(dsn, "", kafka)
        self.replica.world.choices.apply([])
        self.store.add_item("kettle")

    def close(self) -> None:
        self.publisher.close()
        self.store.close()
        self.database.close()
        self.replica.database.close()

    @asynccontextmanager
    async def http(self) -> AsyncIterator[httpx.AsyncClient]:
        async with self.replica.running() as client:
            yield client

    def move_in(self, user_id: str) -> str:
        """Makes somebody with an account, a visit before, and a trace in every place.

        Returns: the id of the visit.
        """
        visit = f"v_{user_id}"
        self._account(user_id, visit)
        self.ingest.ingest([given("e1", user_id), given("w1", user_id, item_id="later")])
        self.ingest.ingest([given("bad", user_id, type=7, value=9.0), given("v1", visit)])
        for person in (user_id, visit):
            self.store.query(
                "INSERT INTO user_states (model_version, user_id, epoch, n, state, vector,"
                " recent_ordinals, seen, recent_event_ids) VALUES"
                " (%s, %s, 0, 1, %s, %s, '{1}', %s, '{e1}')",
                MODEL,
                person,
                b"\0\0\x80\x3f",
                b"\0\0\x80\x3f\0\0\0\x40",
                BitMap([1]).serialize(),
            )
        self.write(user_id)
        self.publisher.flush()
        return visit

    def write(self, user_id: str) -> None:
        """A record in every topic."""
        event = Event(
            event_id="e1", user_id=user_id, item_id="kettle", type=EventType.EVENT_TYPE_CLICK
        )
        event.accepted_at.GetCurrentTime()
        value, key = event.SerializeToString(), user_id.encode()
        shown = [Impression(item_id="kettle")]
        lists = [ServedList(request_id="r1", user_id=user_id, impressions=shown)]
        refused = Record(EVENTS, 0, hash(user_id) % 1_000_000, 0, key, value)
        undecodable = Record(EVENTS, 0, hash(user_id) % 1_000_000 + 1, 0, b"", b"\xff" + key)
        self.publisher.publish(
            [
                Outgoing(EVENTS, key, value),
                Outgoing(
                    INTERACTIONS,
                    key,
                    Interaction(user_id=user_id, n=1, event_id="e1").SerializeToString(),
                ),
                Outgoing(
                    user_vectors(MODEL),
                    key,
                    UserVector(user_id=user_id, model_version=MODEL, n=1).SerializeToString(),
                ),
                Outgoing(IMPRESSIONS, key + b"\nr1", ServedLists(lists=lists).SerializeToString()),
                to_dead_letter(Refusal(refused, "invalid_event", "a test")),
                to_dead_letter(Refusal(undecodable, "undecodable", "a test")),
            ]
        )

    def bearer(self, user_id: str) -> dict[str, str]:
        """The header of somebody who is logged in."""
        token = TOKENS.sign(Claims(Kind.ACCESS, user_id, f"s_{user_id}", "shopper"), ACCESS_S)
        return {"authorization": f"Bearer {token}"}

    def _account(self, user_id: str, visit: str) -> None:
        for statement in (
            "INSERT INTO accounts (user_id, email, email_key, password_hash, name, role, interests)"
            " VALUES (%(id)s, %(mail)s, %(mail)s, %(hash)s, 'Ann', 'shopper', '{Drama}')",
            "INSERT INTO registrations VALUES (%(id)s::bytea, %(mail)s, %(mail)s, %(hash)s, 'Ann',"
            " now() + interval '1 day')",
            "INSERT INTO sign_ins VALUES ('s_' || %(id)s, %(id)s, now(), now() + interval '1 day')",
            "INSERT INTO refresh_tokens VALUES (%(id)s::bytea, 's_' || %(id)s)",
            "INSERT INTO recoveries VALUES (%(id)s::bytea, %(id)s, now() + interval '1 day')",
            "INSERT INTO claimed_visits (visitor_id, user_id) VALUES (%(visit)s, %(id)s)",
            "INSERT INTO ended_sessions (session, until) VALUES (%(visit)s, now())",
            "INSERT INTO personalisation VALUES (%(id)s, true)",
            "INSERT INTO served_lists SELECT 0, count(*), 0, %(id)s, now(), 'm1', '{n-1}', '{1}'"
            " FROM served_lists",
            "INSERT INTO api_keys (key_id, digest, name, scopes, created_by)"
            " VALUES ('key_' || %(id)s, %(id)s::bytea, 'shop', '{read}', %(id)s)",
        ):
            with self.database.transaction() as cursor:
                values = {"id": user_id, "mail": f"{user_id}@example.com", "visit": visit}
                cursor.execute(statement, {**values, "hash": HASH})
