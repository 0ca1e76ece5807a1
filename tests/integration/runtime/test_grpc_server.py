"""The gRPC server and channel together: errors, context, health, reflection, metrics, stop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from prometheus_client import REGISTRY

from headrace import errors
from headrace.api.ranker.v1 import ranker_pb2, ranker_pb2_grpc
from headrace.local.ports import free_ports
from headrace.runtime import context
from headrace.runtime.grpc_channel import (
    call,
    call_blocking,
    open_blocking_channel,
    open_channel,
    streamed,
)
from headrace.runtime.grpc_server import grpc_server
from headrace.runtime.readiness import Readiness

SERVICE = "headrace.api.ranker.v1.RankerService"
Behaviour = Callable[[ranker_pb2.RecommendRequest], Awaitable[ranker_pb2.RecommendResponse]]


class Ranker(ranker_pb2_grpc.RankerServiceServicer):
    """Does what the test says."""

    def __init__(self) -> None:
        self.behaviour: Behaviour = self.answer
        self.seen: context.RequestContext | None = None
        self.made = 0
        self.breaks_at: int | None = None

    async def Recommend(  # noqa: N802 - the name is the proto's
        self, request: ranker_pb2.RecommendRequest, call: object
    ) -> ranker_pb2.RecommendResponse:
        self.seen = context.current()
        return await self.behaviour(request)

    async def SimilarItems(  # noqa: N802 - the name is the proto's
        self, request: ranker_pb2.SimilarItemsRequest, call: object
    ) -> ranker_pb2.SimilarItemsResponse:
        raise NotImplementedError

    async def SimilarUsers(  # noqa: N802 - the name is the proto's
        self, request: ranker_pb2.SimilarUsersRequest, call: object
    ) -> ranker_pb2.SimilarUsersResponse:
        raise NotImplementedError

    async def BatchRecommend(  # noqa: N802 - the name is the proto's
        self, request: ranker_pb2.BatchRecommendRequest, call: object
    ) -> AsyncIterator[ranker_pb2.BatchRecommendResponse]:
        for number in range(request.n):
            if number == self.breaks_at:
                raise errors.Unavailable("away")
            self.made += 1
            await asyncio.sleep(0)
            yield ranker_pb2.BatchRecommendResponse(model_version="x" * 100_000)

    async def answer(self, _request: ranker_pb2.RecommendRequest) -> ranker_pb2.RecommendResponse:
        return ranker_pb2.RecommendResponse(model_version="v1")

    def fails_with(self, error: Exception) -> None:
        async def fail(_request: ranker_pb2.RecommendRequest) -> ranker_pb2.RecommendResponse:
            raise error

        self.behaviour = fail


class World:
    """A server on a port of its own, and a channel to it."""

    def __init__(self, ranker: Ranker, readiness: Readiness, port: int) -> None:
        self.ranker = ranker
        self.readiness = readiness
        self.address = f"127.0.0.1:{port}"
        self.channel = open_channel(self.address)
        self.stub = ranker_pb2_grpc.RankerServiceStub(self.channel)

    async def recommend(self, timeout_s: float = 10) -> ranker_pb2.RecommendResponse:
        request = ranker_pb2.RecommendRequest()
        return await call(self.stub.Recommend, request, "ranker", timeout_s)


@asynccontextmanager
async def serving(port: int | None = None) -> AsyncIterator[World]:
    ranker, readiness = Ranker(), Readiness()
    port = port or free_ports(1)[0]
    world = World(ranker, readiness, port)
    async with (
        world.channel,
        grpc_server(
            host="127.0.0.1",
            port=port,
            services=[SERVICE],
            register=lambda server: ranker_pb2_grpc.add_RankerServiceServicer_to_server(
                ranker, server
            ),
            readiness=readiness,
            grace_s=10,
        ),
    ):
        yield world


async def _eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.02)


def _counted(code: str) -> float:
    labels = {"method": "Recommend", "code": code}
    return REGISTRY.get_sample_value("headrace_grpc_requests_total", labels) or 0.0


@pytest.mark.parametrize(
    "error",
    [
        errors.Unauthenticated("no key"),
        errors.PermissionDenied("scope read"),
        errors.NotFound("item ü\n does not exist"),
        errors.FailedPrecondition("model v1, not v2"),
        errors.Unavailable("Postgres did not answer"),
        errors.DeadlineExceeded("Kafka did not confirm"),
    ],
)
async def test_an_error_arrives_as_itself_with_the_callees_name(
    error: errors.HeadraceError,
) -> None:
    async with serving() as world:
        world.ranker.fails_with(error)
        with pytest.raises(type(error)) as caught:
            await world.recommend()
    assert type(caught.value) is type(error)
    assert str(caught.value) == f"ranker: {error}"


async def test_violations_arrive_field_by_field() -> None:
    violations = [errors.Violation("events[3].value", "1 bis 5, größer nicht")] * 2
    async with serving() as world:
        world.ranker.fails_with(errors.InvalidInput(violations))
        with pytest.raises(errors.InvalidInput) as caught:
            await world.recommend()
    assert list(caught.value.violations) == violations


async def test_bytes_that_are_no_message_are_the_callers_fault() -> None:
    before = _counted("INVALID_ARGUMENT")
    async with serving() as world:
        send: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = world.channel.unary_unary(
            f"/{SERVICE}/Recommend"
        )
        with pytest.raises(errors.InvalidInput) as caught:
            await call(send, b"\xff\xff\xff", "ranker", 10)
    assert [violation.field for violation in caught.value.violations] == ["request"]
    assert _counted("INVALID_ARGUMENT") == before + 1


async def test_hundreds_of_violations_still_fit_into_a_status() -> None:
    violations = [errors.Violation(f"events[{n}].item_id", "x" * 300) for n in range(500)]
    async with serving() as world:
        world.ranker.fails_with(errors.InvalidInput(violations))
        with pytest.raises(errors.InvalidInput) as caught:
            await world.recommend()
    assert [v.field for v in caught.value.violations] == [f"events[{n}].item_id" for n in range(20)]


async def test_a_bug_arrives_without_its_details_and_is_counted() -> None:
    before = _counted("INTERNAL")
    async with serving() as world:
        world.ranker.fails_with(KeyError("password=hunter2"))
        with pytest.raises(errors.HeadraceError, match=r"ranker failed with INTERNAL") as caught:
            await world.recommend()
    assert type(caught.value) is errors.HeadraceError
    assert "hunter2" not in str(caught.value)
    assert _counted("INTERNAL") == before + 1


async def test_a_blocking_caller_gets_the_same() -> None:
    async with serving() as world:
        world.ranker.fails_with(errors.InvalidInput.of("n", "1 to 200"))

        def recommend() -> None:
            with open_blocking_channel(world.address) as channel:
                stub = ranker_pb2_grpc.RankerServiceStub(channel)
                call_blocking(stub.Recommend, ranker_pb2.RecommendRequest(), "ranker", 10)

        with pytest.raises(errors.InvalidInput, match="n: 1 to 200"):
            await asyncio.to_thread(recommend)


async def test_the_request_context_goes_along() -> None:
    async with serving() as world:
        with context.within(context.begin("request-9", None)) as sent:
            await world.recommend()
        seen = world.ranker.seen
        assert seen is not None
        assert (seen.request_id, seen.trace_id) == (sent.request_id, sent.trace_id)
        await world.recommend()
        assert world.ranker.seen is not None
        assert world.ranker.seen.trace_id != sent.trace_id


async def test_an_answer_that_takes_too_long_is_a_missed_deadline() -> None:
    async with serving() as world:
        never = asyncio.Event()

        async def hang(_request: ranker_pb2.RecommendRequest) -> ranker_pb2.RecommendResponse:
            await never.wait()
            raise AssertionError

        world.ranker.behaviour = hang
        with pytest.raises(errors.DeadlineExceeded, match="ranker: "):
            await world.recommend(timeout_s=0.1)


async def test_a_service_that_is_down_is_unavailable_and_found_again() -> None:
    (port,) = free_ports(1)
    async with open_channel(f"127.0.0.1:{port}") as channel:
        stub = ranker_pb2_grpc.RankerServiceStub(channel)
        request = ranker_pb2.RecommendRequest()
        with pytest.raises(errors.Unavailable, match="ranker: "):
            await call(stub.Recommend, request, "ranker", 5)
        async with serving(port):

            async def answers() -> bool:
                with suppress(errors.Unavailable):
                    await call(stub.Recommend, request, "ranker", 5)
                    return True
                return False

            await _eventually(answers)


async def test_health_follows_readiness() -> None:
    async with serving() as world:
        check = world.channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )

        async def statuses() -> set[int]:
            requests = [health_pb2.HealthCheckRequest(service=name) for name in ("", SERVICE)]
            return {(await check(request)).status for request in requests}

        state = {"ready": True}
        world.readiness.require("work", lambda: state["ready"])
        for ready in (True, False, True):
            state["ready"] = ready
            expected = 1 if ready else 2  # SERVING, NOT_SERVING

            async def follows(expected: int = expected) -> bool:
                return await statuses() == {expected}

            await _eventually(follows)


async def test_reflection_names_the_service_and_its_methods() -> None:
    async with serving() as world:

        def methods() -> list[str]:
            with grpc.insecure_channel(world.address) as channel:
                database = ProtoReflectionDescriptorDatabase(channel)
                assert SERVICE in database.get_services()
                file = database.FindFileContainingSymbol(SERVICE)
                return [method.name for method in file.service[0].method]

        assert "Recommend" in await asyncio.to_thread(methods)


async def test_a_call_under_way_ends_before_the_server_does() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    before = _counted("OK")

    async def slow(request: ranker_pb2.RecommendRequest) -> ranker_pb2.RecommendResponse:
        begun.set()
        await go_on.wait()
        return ranker_pb2.RecommendResponse(model_version="slow")

    channel: grpc.aio.Channel | None = None
    async with serving() as world:
        world.ranker.behaviour = slow
        channel = open_channel(world.address)
        stub = ranker_pb2_grpc.RankerServiceStub(channel)
        request = ranker_pb2.RecommendRequest()
        under_way = asyncio.create_task(call(stub.Recommend, request, "ranker", 10))
        await begun.wait()
        asyncio.get_running_loop().call_later(0.2, go_on.set)
    assert (await under_way).model_version == "slow"
    with pytest.raises(errors.Unavailable):
        await call(stub.Recommend, request, "ranker", 1)
    await channel.close()
    assert _counted("OK") == before + 1


async def test_a_stream_goes_no_further_than_its_reader_and_ends_with_it() -> None:
    async with serving() as world:
        request = ranker_pb2.BatchRecommendRequest(n=5_000)
        stream = world.stub.BatchRecommend(request, timeout=10)
        await stream.read()
        begun = world.ranker.made
        await asyncio.sleep(0.3)
        waiting = world.ranker.made
        # 500 MB would be on their way; what flow control lets through is a few.
        assert begun <= waiting < 500
        stream.cancel()
        await asyncio.sleep(0.1)
        assert world.ranker.made < 500


async def test_a_stream_that_breaks_off_tells_why() -> None:
    async with serving() as world:
        world.ranker.breaks_at = 2
        request = ranker_pb2.BatchRecommendRequest(n=5)
        answers = streamed(world.stub.BatchRecommend, request, "ranker", 10)
        assert (await anext(answers)).model_version == (await anext(answers)).model_version
        with pytest.raises(errors.Unavailable, match="ranker: away"):
            await anext(answers)


async def test_a_stream_has_a_deadline() -> None:
    async with serving() as world:
        request = ranker_pb2.BatchRecommendRequest(n=2**31)
        answers = streamed(world.stub.BatchRecommend, request, "ranker", 0.2)
        with pytest.raises(errors.DeadlineExceeded):
            async for _ in answers:
                pass


async def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = grpc_server(
            host="127.0.0.1",
            port=port,
            services=[],
            register=lambda _server: None,
            readiness=Readiness(),
            grace_s=1,
        )
        with pytest.raises(errors.Unavailable, match=f"port {port} of HEADRACE_GRPC_PORT"):
            await server.__aenter__()
