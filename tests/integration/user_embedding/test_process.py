"""The process as it is deployed: killed, stopped, fed with garbage and with holes."""

import uuid

from headrace.local.waiting import wait_until
from headrace.runtime.kafka_publisher import Outgoing
from headrace.runtime.topics import INTERACTIONS
from services.user_embedding.interactions import Interaction
from tests.conftest import PostgresServer
from tests.integration.user_embedding.items import HELD_BACK, ON_TOPIC
from tests.integration.user_embedding.logs import TRACE, random_log
from tests.integration.user_embedding.world import Logs, World
from tests.service_process import DEADLINE_S


def logs_of(people: int, length: int, items: range = ON_TOPIC) -> Logs:
    users = [f"{uuid.uuid4().hex[:12]}-{i}" for i in range(people)]
    return {user: random_log(user, length, items) for user in users}


def in_turns(logs: Logs) -> list[Interaction]:
    """The first entry of everybody, then the second, and so on."""
    return [entry for entries in zip(*logs.values(), strict=True) for entry in entries]


def test_killed_in_the_middle_of_3000_interactions_it_ends_with_the_vectors_of_a_replay(
    world: World,
) -> None:
    logs = logs_of(people=60, length=50)
    log = in_turns(logs)
    child = world.service.start_and_wait()
    world.tables.write(log)
    world.publish(log[:1_500])
    assert wait_until(lambda: world.tables.applied(list(logs)) > 0, DEADLINE_S)
    child.kill()
    world.publish(log[1_500:])
    child = world.service.start()

    assert world.all_told(logs), child.last_log_lines()
    world.assert_as_replayed(logs)
    assert world.tables.applied(list(logs)) == 3_000
    assert wait_until(world.service.ready, DEADLINE_S)
    assert child.stop(DEADLINE_S) == 0


def test_while_postgres_is_away_interactions_wait(world: World, postgres: PostgresServer) -> None:
    logs = logs_of(people=20, length=50)
    log = in_turns(logs)
    child = world.service.start_and_wait()
    world.tables.write(log)
    world.publish(log[:500])
    postgres.stop()
    try:
        world.publish(log[500:])
        assert wait_until(lambda: not world.service.ready(), DEADLINE_S), child.last_log_lines()
    finally:
        postgres.start()
    assert world.all_told(logs), child.last_log_lines()
    world.assert_as_replayed(logs)
    assert wait_until(world.service.ready, DEADLINE_S)
    assert child.exit_code is None


def test_interactions_lost_on_their_way_are_found_by_the_sweeper(world: World) -> None:
    before_the_start, while_it_runs = logs_of(people=3, length=300), logs_of(people=3, length=20)
    world.tables.write(in_turns(before_the_start))
    child = world.service.start_and_wait()
    log = in_turns(while_it_runs)
    world.tables.write(log)
    world.publish(log[:30])

    everybody = {**before_the_start, **while_it_runs}
    assert world.all_told(everybody), child.last_log_lines()
    world.assert_as_replayed(everybody)
    assert world.service.metric('headrace_user_rebuilds_total{reason="sweep"}') >= 6


def test_a_gap_is_filled_from_the_log_at_once(world: World) -> None:
    logs = logs_of(people=2, length=20)
    log = in_turns(logs)
    child = world.service.start_and_wait()
    world.tables.write(log)
    world.publish([entry for entry in log if entry.n in (1, 2, 20)])
    assert world.all_told(logs), child.last_log_lines()
    world.assert_as_replayed(logs)


def test_items_that_the_topic_lacks_are_asked_of_their_owner(world: World) -> None:
    logs = logs_of(people=2, length=30, items=HELD_BACK)
    log = in_turns(logs)
    child = world.service.start_and_wait()
    world.tables.write(log)
    world.publish(log)
    assert world.all_told(logs), child.last_log_lines()
    world.assert_as_replayed(logs)
    assert world.owner.asked & set(HELD_BACK)


def test_garbage_is_dead_lettered_and_the_rest_goes_on(world: World) -> None:
    logs = logs_of(people=1, length=5)
    ((user, log),) = logs.items()
    child = world.service.start_and_wait()
    world.tables.write(log)
    world.publisher.publish([Outgoing(INTERACTIONS, b"who", b"\xff garbage")])
    world.publish(log)
    assert world.all_told(logs), child.last_log_lines()
    world.assert_as_replayed(logs)
    assert wait_until(lambda: world.told.headers[user].get("traceparent") == TRACE, DEADLINE_S)
    letters = 'headrace_kafka_dead_letters_total{reason="undecodable",topic="interactions"}'
    assert wait_until(lambda: world.service.metric(letters) >= 1, DEADLINE_S)
