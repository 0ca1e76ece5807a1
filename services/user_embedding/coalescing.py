"""Calls for the same thing at the same time share one piece of work."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Coalescing(Generic[T]):
    """Runs `work` in a thread, once at a time for each key.

    A caller that gives up leaves the work to the others. One that comes while the work runs gets
    what that work found, as if it had come a moment earlier.
    """

    def __init__(self, work: Callable[[str], T]) -> None:
        self._work = work
        self._under_way: dict[str, asyncio.Task[T]] = {}

    async def __call__(self, key: str) -> T:
        """Raises: what `work` raises."""
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(asyncio.to_thread(self._work, key))
            self._under_way[key] = task
            task.add_done_callback(lambda _task: self._under_way.pop(key, None))
        return await asyncio.shield(task)
