"""A service that is down is not waited for by everybody."""

import asyncio

import pytest

from headrace.errors import HeadraceError, InvalidInput, NotFound, Unavailable
from headrace.runtime.circuit import Circuit, CircuitOpen


class Service:
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.calls = 0

    async def call(self) -> str:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return "answer"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_after_three_failures_calls_are_refused_until_one_may_try() -> None:
    service, clock = Service(Unavailable("down")), Clock()
    circuit = Circuit("it", failures=3, pause_s=1.0, clock=clock)
    for _ in range(10):
        with pytest.raises(Unavailable):
            await circuit.run(service.call)
    assert service.calls == 3
    clock.now += 1.1
    for _ in range(5):
        with pytest.raises(Unavailable):
            await circuit.run(service.call)
    assert service.calls == 4
    clock.now += 1.1
    service.error = None
    assert [await circuit.run(service.call) for _ in range(3)] == ["answer"] * 3


async def test_while_one_call_tries_again_the_others_do_not_wait_for_it() -> None:
    service, clock, hold = Service(Unavailable("down")), Clock(), asyncio.Event()
    circuit = Circuit("it", failures=1, pause_s=1.0, clock=clock)
    with pytest.raises(Unavailable):
        await circuit.run(service.call)
    clock.now += 1.1

    async def slow() -> bool:
        return await hold.wait()

    trying = asyncio.ensure_future(circuit.run(slow))
    await asyncio.sleep(0)  # it begins
    with pytest.raises(CircuitOpen, match="it failed 1 times in a row"):
        await circuit.run(service.call)
    hold.set()
    assert await trying
    service.error = None
    assert await circuit.run(service.call) == "answer"


async def test_a_success_between_failures_keeps_the_circuit_closed() -> None:
    service = Service()
    circuit = Circuit("it", failures=2)
    for error in (Unavailable("slow"), None, Unavailable("slow"), None):
        service.error = error
        if error is None:
            assert await circuit.run(service.call) == "answer"
        else:
            with pytest.raises(Unavailable, match="slow"):
                await circuit.run(service.call)
    assert service.calls == 4


async def test_a_broken_service_counts_like_one_that_is_down() -> None:
    service = Service(HeadraceError("it failed with INTERNAL"))
    circuit = Circuit("it", failures=1)
    with pytest.raises(HeadraceError, match="INTERNAL"):
        await circuit.run(service.call)
    with pytest.raises(CircuitOpen):
        await circuit.run(service.call)
    assert service.calls == 1


@pytest.mark.parametrize("mistake", [InvalidInput.of("user_id", "is wrong"), NotFound("no such")])
async def test_a_caller_s_mistake_is_no_failure(mistake: HeadraceError) -> None:
    service = Service(mistake)
    circuit = Circuit("it", failures=1)
    for _ in range(3):
        with pytest.raises(type(mistake)):
            await circuit.run(service.call)
    assert service.calls == 3
