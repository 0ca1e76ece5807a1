"""A visit's events become the person's when the visitor logs in: all of them, each once."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import NewTopic

from headrace.errors import Unavailable
from headrace.local.waiting import wait_until
from headrace.store.database import Database
from services.gateway.accounts.account_store import AccountStore
from services.gateway.accounts.interests import StoredInterests
from services.gateway.accounts.limits import Limits
from services.gateway.accounts.visit_store import VisitStore
from services.gateway.accounts.visits import RENEWABLE_S, Visits, merged_event_id
from services.gateway.events.kafka_log import KafkaEventLog
from services.gateway.history.store import HistoryStore
from services.gateway.tokens import VISIT_S, Tokens
from tests.conftest import KafkaServer
from tests.integration.event_ingest.world import Postgres
from tests.integration.gateway.account_world import IngestedLog, Person, Replica
from tests.unit.event_ingest.builders import given, given_retraction, minutes_ago
from tests.unit.gateway.memory import TOKENS, Clock


@pytest.fixture
def store(people: str) -> Iterator[Postgres]:
    store = Postgres(people)
    store.add_item("kettle")
    store.add_item("mug")
    yield store
    store.close()


@pytest.fixture
def log(replica: Replica) -> IngestedLog:
    return replica.log


@pytest.fixture
def visits(replica: Replica, log: IngestedLog) -> Visits:
    return Visits(VisitStore(replica.database), TOKENS, Limits(), log.append)


async def _browse(visits: Visits, log: IngestedLog) -> tuple[str, str]:
    """A visit with a click and a rating. Returns the visitor and their token."""
    visit = await visits.begin(None, "203.0.113.7")
    log.ingest.ingest(
        [
            given("c1", visit.visitor_id, occurred_at=minutes_ago(9)),
            given("r1", visit.visitor_id, item_id="mug", type=7, value=4.0),
        ]
    )
    return visit.visitor_id, visit.token


async def test_events_of_a_visit_become_the_persons_at_their_own_times(
    ann: Person, visits: Visits, log: IngestedLog, store: Postgres
) -> None:
    visitor_id, token = await _browse(visits, log)
    user_id = ann.session["user_id"]
    log.ingest.ingest([given("before", user_id)])
    trending = store.query("SELECT minute, item_ordinal, events FROM item_minute_counts ORDER BY 2")
    assert await visits.claim(token, user_id)
    await visits.merge()
    what = "item_ordinal, type, value, occurred_at"
    query = f"SELECT {what} FROM interactions WHERE user_id = %s ORDER BY n"
    assert store.query(query, user_id)[1:] == store.query(query, visitor_id)
    assert len(store.log_of(user_id)) == 3
    # They are history: what is trending and live counts them once, as the visitor's.
    assert trending == store.query(
        "SELECT minute, item_ordinal, events FROM item_minute_counts ORDER BY 2"
    )
    await visits.merge()
    assert len(store.log_of(user_id)) == 3


async def test_what_comes_after_the_log_in_follows(
    ann: Person, visits: Visits, log: IngestedLog, store: Postgres
) -> None:
    """Events on their way through Kafka, and those that waited for their item."""
    visitor_id, token = await _browse(visits, log)
    log.ingest.ingest([given("w1", visitor_id, item_id="toaster")])
    user_id = ann.session["user_id"]
    await visits.claim(token, user_id)
    await visits.merge()
    assert len(store.log_of(user_id)) == 2
    log.ingest.ingest([given("late", visitor_id)])
    store.add_item("toaster")
    assert [len(entries) for entries in log.ingest.release(["toaster"])] == [1]
    await visits.merge()
    assert len(store.log_of(user_id)) == len(store.log_of(visitor_id)) == 4


async def test_what_the_visitor_took_back_does_not_become_the_persons(
    ann: Person, visits: Visits, log: IngestedLog, store: Postgres
) -> None:
    visitor_id, token = await _browse(visits, log)
    log.ingest.ingest([given_retraction("x1", visitor_id, retracts="c1")])
    user_id = ann.session["user_id"]
    await visits.claim(token, user_id)
    await visits.merge()
    assert store.query("SELECT type FROM interactions WHERE user_id = %s", user_id) == [(7,)]
    log.ingest.ingest([given("c2", visitor_id)])
    await visits.merge()
    assert len(store.log_of(user_id)) == 2


async def test_what_the_visitor_does_not_want_the_person_does_not_want(
    ann: Person, visits: Visits, log: IngestedLog, store: Postgres
) -> None:
    visitor_id, token = await _browse(visits, log)
    said = [
        given("x1", visitor_id, type=9),
        given("x2", visitor_id, type=9, item_id="", category="Home > Kitchen"),
    ]
    log.ingest.ingest(said)
    user_id = ann.session["user_id"]
    await visits.claim(token, user_id)
    await visits.merge()
    found = HistoryStore(log.database).unwanted(user_id)
    assert [one.item_id for one in found.items] == ["kettle"]
    assert [one.category for one in found.categories] == ["Home > Kitchen"]


class DyingStore(VisitStore):
    """A gateway that dies after the events were sent and before that was noted."""

    def merged(self, reached: dict[str, int]) -> None:
        raise Unavailable("killed")


async def test_a_merge_that_is_cut_off_is_done_again_and_each_event_counts_once(
    ann: Person, replica: Replica, visits: Visits, log: IngestedLog, store: Postgres
) -> None:
    _, token = await _browse(visits, log)
    user_id = ann.session["user_id"]
    dying = Visits(DyingStore(replica.database), TOKENS, Limits(), log.append)
    assert await dying.claim(token, user_id)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await dying.merge()
    assert len(store.log_of(user_id)) == 2
    await visits.merge()
    assert len(store.log_of(user_id)) == 2
    assert store.query("SELECT merged_n FROM claimed_visits") == [(2,)]


@pytest.fixture
def topic(kafka: KafkaServer, topic_prefix: str) -> str:
    name = f"{topic_prefix}events"
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
    admin.close()
    return name


async def test_over_kafka_the_records_are_what_event_ingest_takes(
    ann: Person, log: IngestedLog, store: Postgres, kafka: KafkaServer, topic: str
) -> None:
    event_log = KafkaEventLog(kafka.bootstrap_servers, 10.0, topic)
    visits = Visits(VisitStore(log.database), TOKENS, Limits(), event_log.append_visits)
    _, token = await _browse(visits, log)
    user_id = ann.session["user_id"]
    await visits.claim(token, user_id)
    with pytest.raises(Unavailable):
        await visits.merge()  # Kafka is not connected yet: nothing is lost
    event_log.start()
    assert await asyncio.to_thread(wait_until, event_log.connected, 30)
    await visits.merge()
    event_log.close()
    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap_servers, consumer_timeout_ms=20_000)
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    first, second = next(consumer), next(consumer)
    consumer.close()
    assert first.key == second.key == user_id.encode()
    log.take([(user_id, first.value), (user_id, second.value)])
    assert len(store.log_of(user_id)) == 2


async def test_logging_in_claims_the_visit_and_ends_it(
    ann: Person, replica: Replica, store: Postgres, log: IngestedLog
) -> None:
    begun = (await ann.http.post("/v1/visits", json={})).json()
    visitor = {"authorization": f"Bearer {begun['visit_token']}"}
    lists = f"/v1/users/{begun['visitor_id']}/recommendations"
    assert (await ann.http.get(lists, headers=visitor)).status_code == 200
    own = f"/v1/users/{ann.session['user_id']}/recommendations"
    assert (await ann.http.get(own, headers=visitor)).status_code == 403
    assert (await ann.http.get("/v1/me", headers=visitor)).status_code == 403
    log.ingest.ingest([given("c1", begun["visitor_id"])])

    body = {"email": ann.email, "password": ann.password, "visit_token": begun["visit_token"]}
    signed_in = (await ann.http.post("/v1/accounts/log-in", json=body)).json()
    assert signed_in["visit_claimed"]
    # The log-in waited for the first round.
    (sent,) = replica.visits.events
    assert (sent.user_id, sent.event_id) == (ann.session["user_id"], "c1")
    assert merged_event_id(sent).startswith("visit-")
    replica.feed.round()
    assert (await ann.http.get(lists, headers=visitor)).status_code == 401
    renewed = await ann.http.post("/v1/visits", json={"visit_token": begun["visit_token"]})
    assert renewed.json()["visitor_id"] != begun["visitor_id"]


async def test_a_visit_belongs_to_who_claims_it_first(
    ann: Person, visits: Visits, log: IngestedLog, http: httpx.AsyncClient
) -> None:
    _, token = await _browse(visits, log)
    bob = Person(http, ann.mails, "bob@example.com")
    await bob.register()
    assert await visits.claim(token, ann.session["user_id"])
    assert await visits.claim(token, ann.session["user_id"])
    assert not await visits.claim(token, bob.session["user_id"])


@pytest.mark.parametrize("token", ["", "eyJ", "eyJhbGciOiJub25lIn0.e30.", "another's"])
async def test_a_forged_visit_is_somebody_new_and_keeps_nobody_from_logging_in(
    ann: Person, token: str
) -> None:
    begun = await ann.http.post("/v1/visits", json={"visit_token": token})
    assert begun.status_code == 200
    body = {"email": ann.email, "password": ann.password, "visit_token": token}
    answer = await ann.http.post("/v1/accounts/log-in", json=body)
    assert (answer.status_code, answer.json()["visit_claimed"]) == (200, False)


async def test_an_access_token_is_no_visit(ann: Person, visits: Visits) -> None:
    assert not await visits.claim(ann.session["access_token"], ann.session["user_id"])


async def test_a_visitor_who_comes_back_within_a_month_is_the_same(replica: Replica) -> None:
    clock = Clock()
    tokens = Tokens.parse("k1:a-secret-of-32-characters-or-more", clock)
    visits = Visits(VisitStore(replica.database), tokens, Limits(), replica.visits.append)
    first = await visits.begin(None, None)
    clock.now = VISIT_S + RENEWABLE_S - 1
    assert (await visits.begin(first.token, None)).visitor_id == first.visitor_id
    clock.now += 1
    assert (await visits.begin(first.token, None)).visitor_id != first.visitor_id


async def test_interests_are_read_from_the_account_and_forgotten_after_two_seconds(
    ann: Person, replica: Replica
) -> None:
    clock = Clock()
    interests = StoredInterests(AccountStore(replica.database), clock)
    user_id = ann.session["user_id"]
    assert await interests.of(user_id) == ()
    body = {"interests": ["Comedy", "Sci-Fi"]}
    await ann.http.put("/v1/me", json=body, headers=ann.bearer)
    clock.now = 2.0
    assert await interests.of(user_id) == ("Comedy", "Sci-Fi")
    assert await interests.of("259") == ()


_BANDS = """
INSERT INTO items (item_id, title, description, categories, tags, attributes, revision)
VALUES ('1', '', '', '{Comedy}', '{}', '{}', 1), ('0', '', '', '{Drama}', '{}', '{}', 1);
INSERT INTO accounts (user_id, email, email_key, password_hash, name, role, age_band)
SELECT 'u_' || n, n, n, '', '', 'shopper', CASE n % 2 WHEN 1 THEN '18_24' ELSE '45_54' END
FROM generate_series(1, 40) AS n;
INSERT INTO interactions
    (user_id, n, event_id, item_ordinal, type, occurred_at, backfill, body_hash)
SELECT 'u_' || n, 1, 'e', ordinal, 5, now(), false, ''
FROM generate_series(1, 40) AS n JOIN items ON item_id = (n % 2)::text;
REFRESH MATERIALIZED VIEW age_band_categories
"""


async def test_who_names_no_interests_begins_with_those_of_their_age_band(
    ann: Person, replica: Replica
) -> None:
    with replica.database.transaction() as cursor:
        cursor.execute(_BANDS)
    clock = Clock()
    interests = StoredInterests(AccountStore(replica.database), clock)
    user_id = ann.session["user_id"]
    for body, expected in (
        ({"age_band": "18_24"}, ("Comedy",)),
        ({"age_band": "45_54"}, ("Drama",)),
        ({"age_band": "55_64"}, ()),
        ({"age_band": "45_54", "interests": ["Sci-Fi"]}, ("Sci-Fi",)),
    ):
        await ann.http.put("/v1/me", json=body, headers=ann.bearer)
        clock.now += 2.0
        assert await interests.of(user_id) == expected


async def test_without_postgres_there_are_no_interests_and_no_failure() -> None:
    away = Database("postgresql://127.0.0.1:1/nowhere", wait_s=1)
    interests = StoredInterests(AccountStore(away))
    for _ in range(5):
        assert await interests.of("u_ann") == ()
