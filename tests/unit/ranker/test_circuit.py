"""A dependency that is down is not waited for by everybody."""

import pytest

from headrace.errors import InvalidInput, Unavailable
from services.ranker.circuit import Circuit


class Dependency:
    def __init__(self) -> None:
        self.error: Exception | None = Unavailable("down")
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
    dependency, clock = Dependency(), Clock()
    circuit = Circuit("it", failures=3, retry_s=1.0, clock=clock)
    for _ in range(10):
        with pytest.raises(Unavailable):
            await circuit.run(dependency.call)
    assert dependency.calls == 3
    clock.now += 1.1
    for _ in range(5):
        with pytest.raises(Unavailable):
            await circuit.run(dependency.call)
    assert dependency.calls == 4
    clock.now += 1.1
    dependency.error = None
    assert [await circuit.run(dependency.call) for _ in range(3)] == ["answer"] * 3


async def test_a_caller_s_mistake_is_no_failure() -> None:
    dependency = Dependency()
    dependency.error = InvalidInput.of("user_id", "is wrong")
    circuit = Circuit("it", failures=1)
    for _ in range(3):
        with pytest.raises(InvalidInput):
            await circuit.run(dependency.call)
    assert dependency.calls == 3
