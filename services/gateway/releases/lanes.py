"""Each list is made by one model, chosen before anything is computed."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field

from headrace.errors import HeadraceError, InvalidInput, NotFound
from headrace.release.shares import chosen
from headrace.release.stages import Release, Slot
from headrace.runtime.circuit import Circuit
from services.gateway.batches.models import BatchRequest
from services.gateway.lists import NearPeople, PersonList, RankedList, SimilarList
from services.gateway.models import RecommendationRequest
from services.gateway.ranker import Ranker
from services.gateway.releases.failures import FailureBound
from services.gateway.releases.metrics import FAILURES, OVERLAP, SECONDS, SKIPPED
from services.gateway.releases.view import ReleaseView

log = logging.getLogger(__name__)

# The candidate must not make the live model's people wait: beyond, requests are not copied.
_SHADOWS_IN_FLIGHT = 8


@dataclass
class _Watched:
    """How a candidate does. answered: it has made a list."""

    release_id: int
    bound: FailureBound = field(default_factory=FailureBound)
    circuit: Circuit = field(default_factory=lambda: Circuit("candidate"))
    answered: bool = False


class Lanes:
    """Implements `Ranker` with one ranker a slot.

    The live slot's serves, but for the people of a canary. What the candidate fails to do, the
    live one does; where it fails too often, the candidate is stopped.

    candidate_s: for a plain list of a canary, so that there is time left for the live one.
    """

    def __init__(
        self,
        rankers: Mapping[Slot, Ranker],
        view: ReleaseView,
        candidate_s: float,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._rankers = rankers
        self._view = view
        self._candidate_s = candidate_s
        self._draw = draw
        self._watched: _Watched | None = None
        self._shadows: set[asyncio.Task[None]] = set()

    async def recommend(self, request: RecommendationRequest) -> RankedList:
        """Raises: as the ranker."""
        live = self._live()
        candidate = self._view.candidate
        if candidate is None or candidate.stage == "proposed":
            return await live.recommend(request)
        if candidate.stage == "canary":
            if request.user_id is not None and chosen(
                request.user_id, candidate.salt, candidate.share
            ):
                ranked = await self._candidate_s_list(candidate, request)
                if ranked is not None:
                    return ranked
            return await _timed("live", live, request)
        ranked = await _timed("live", live, request)
        if self._draw() < candidate.share:
            self._shadow(candidate, request, ranked)
        return ranked

    async def similar(self, item_id: str, n: int, category: str | None) -> SimilarList:
        return await self._live().similar(item_id, n, category)

    async def similar_users(self, user_id: str, n: int) -> NearPeople:
        return await self._live().similar_users(user_id, n)

    def batch(
        self, request: BatchRequest, deadline_s: float
    ) -> AsyncGenerator[list[PersonList], None]:
        """Of the live model, whosever lists they are."""
        return self._live().batch(request, deadline_s)

    async def settled(self) -> None:
        """Waits for the shadows under way."""
        await asyncio.gather(*self._shadows)

    def _live(self) -> Ranker:
        return self._rankers[self._view.live_slot]

    async def _candidate_s_list(
        self, candidate: Release, request: RecommendationRequest
    ) -> RankedList | None:
        """None where it failed. Raises: InvalidInput, NotFound: the live one would say the same."""
        ranker = self._rankers[candidate.slot]
        watched = self._watch(candidate)
        waits = request.after is not None or request.explain
        reason = ""
        try:
            async with asyncio.timeout(None if waits else self._candidate_s):
                ranked = await watched.circuit.run(lambda: _timed("candidate", ranker, request))
        except (InvalidInput, NotFound):
            raise
        except TimeoutError:
            reason = "timeout"
        except HeadraceError as error:
            log.debug("no list from the candidate: %s", error)
            reason = "unavailable"
        else:
            watched.answered = True
            reason = "degraded" if ranked.degraded is not None else ""
        # A shadow may still be starting, and nobody waits for its lists.
        if reason and (candidate.stage == "canary" or watched.answered):
            FAILURES.labels(reason).inc()
        if candidate.stage == "canary" and watched.bound.note(failed=bool(reason)):
            self._view.stop(candidate, f"it failed too often, last: {reason or 'well again'}")
        return None if reason else ranked

    def _watch(self, candidate: Release) -> _Watched:
        """Of this candidate alone."""
        if self._watched is None or self._watched.release_id != candidate.release_id:
            self._watched = _Watched(candidate.release_id)
        return self._watched

    def _shadow(
        self, candidate: Release, request: RecommendationRequest, shown: RankedList
    ) -> None:
        if len(self._shadows) >= _SHADOWS_IN_FLIGHT:
            SKIPPED.inc()
            return
        task = asyncio.create_task(self._compare(candidate, request, shown))
        self._shadows.add(task)
        task.add_done_callback(self._shadows.discard)

    async def _compare(
        self, candidate: Release, request: RecommendationRequest, shown: RankedList
    ) -> None:
        # Nobody waits for it: it needs no event, and no reasons.
        copy = request.model_copy(update={"after": None, "explain": False})
        try:
            ranked = await self._candidate_s_list(candidate, copy)
        except (InvalidInput, NotFound):
            return
        if ranked is not None and shown.items:
            before = {item.item_id for item in shown.items}
            OVERLAP.observe(len(before & {item.item_id for item in ranked.items}) / len(before))


async def _timed(variant: str, ranker: Ranker, request: RecommendationRequest) -> RankedList:
    began = time.perf_counter()
    ranked = await ranker.recommend(request)
    SECONDS.labels(variant).observe(time.perf_counter() - began)
    return ranked
