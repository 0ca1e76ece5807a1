"""People and machines that use the whole of a running system, so that every panel has something to
show: lists and what is chosen from them, searches, changes of the catalogue, log-ins, and mistakes.
"""

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import httpx

from bench.screens.people import GOODS, Account, journey, registered
from bench.target import ITEMS, USERS, Target
from headrace.api.gateway.v1.gateway_pb2 import RecommendRequest
from headrace.api.gateway.v1.gateway_pb2_grpc import GatewayServiceStub
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.topics import EVENTS

_PEOPLE = 3
"""At the same time: with a pause after each list they ask for about ten lists a second."""
_PAUSE_S = (0.1, 0.5)
_LIST_LENGTH = 12
_WORDS = ("star", "love", "godfather", "toy stroy", "zzzz")
_PRINTS = ("print-1", "print-2", "print-3")


class Crowd:
    """mails: the folder that the system's mails go to."""

    def __init__(self, target: Target, mails: Path) -> None:
        self._target = target
        self._dice = random.Random()
        self._http = httpx.Client(base_url=target.url, headers=target.headers, timeout=30)
        upload = self._http.post(
            "/v1/items/upload", content=GOODS, headers={"content-type": "text/csv"}
        )
        upload.raise_for_status()
        self._shopper: Account = registered(target, mails, "Ann")

    def leave(self) -> None:
        """Takes back what can be: the account and the goods."""
        self._shopper.erased()
        for line in GOODS.splitlines()[1:-1]:
            self._http.delete(f"/v1/items/{line.split(',')[0]}")
        self._http.close()

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        async with (
            aiohttp.ClientSession(
                self._target.url,
                headers=self._target.headers,
                timeout=aiohttp.ClientTimeout(total=30),
            ) as session,
            grpc.aio.insecure_channel(self._target.grpc_address) as channel,
        ):
            tasks = [asyncio.create_task(self._person(session)) for _ in range(_PEOPLE)]
            tasks += [
                asyncio.create_task(self._machines(session, channel)),
                asyncio.create_task(asyncio.to_thread(self._mistakes)),
            ]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _person(self, session: aiohttp.ClientSession) -> None:
        """One person after the other gets a list and chooses from it, the higher the likelier; one
        in ten has never been here."""
        dice = self._dice
        while True:
            newcomer = dice.random() < 0.1
            user_id = f"newcomer-{dice.randrange(10**9)}" if newcomer else dice.choice(USERS)
            path = f"/v1/users/{user_id}/recommendations?n={_LIST_LENGTH}"
            answer = await _json(session, "GET", path)
            chosen = [
                item["item_id"]
                for place, item in enumerate(answer.get("items", ()))
                if dice.random() < 0.4 / (1 + place) ** 0.6
            ]
            if dice.random() < 0.2:
                chosen.append(dice.choice(ITEMS))
            for item_id in chosen:
                events = [{"user_id": user_id, **one} for one in journey(dice, item_id)]
                await _json(session, "POST", "/v1/events", {"events": events})
            await asyncio.sleep(dice.uniform(*_PAUSE_S))

    async def _machines(self, session: aiohttp.ClientSession, channel: grpc.aio.Channel) -> None:
        """A shop's own programs: searches, similar items, gRPC, and a price that changes."""
        dice, stub = self._dice, GatewayServiceStub(channel)
        metadata = tuple((name.lower(), value) for name, value in self._target.headers.items())
        goods = {one: await _json(session, "GET", f"/v1/items/{one}") for one in _PRINTS}
        while True:
            await _json(session, "GET", f"/v1/search?q={dice.choice(_WORDS).replace(' ', '+')}")
            await _json(session, "GET", f"/v1/items/{dice.choice(ITEMS)}/similar?n=8")
            asked = RecommendRequest(user_id=dice.choice(USERS), n=_LIST_LENGTH)
            await stub.Recommend(asked, timeout=30, metadata=metadata)
            item_id = dice.choice(_PRINTS)
            price = {"amount": dice.randrange(1_000, 5_000), "currency": "EUR"}
            content = {**goods[item_id], "price": price}
            del content["item_id"], content["revision"]
            await _json(session, "PUT", f"/v1/items/{item_id}", content)
            await asyncio.sleep(dice.uniform(*_PAUSE_S))

    def _mistakes(self) -> None:
        """A wrong password, an item that nobody knows, and a record that is none."""
        wrong = {"email": self._shopper.email, "password": "not the password"}
        self._http.post("/v1/accounts/log-in", json=wrong)
        self._shopper.session()
        unknown = {"user_id": USERS[0], "item_id": "no-such-item", "type": "click"}
        self._http.post("/v1/events", json={"events": [unknown]})
        self._http.get("/v1/items/no-such-item")
        publisher = Publisher(self._target.kafka)
        publisher.publish([Outgoing(EVENTS, USERS[0].encode(), b"no event")])
        publisher.close()


async def _json(
    session: aiohttp.ClientSession, method: str, path: str, body: object = None
) -> dict[str, Any]:
    async with session.request(method, path, json=body) as answer:
        told: dict[str, Any] = await answer.json()
        if not answer.ok:
            sys.stderr.write(f"{method} {path}: {answer.status} {told.get('detail')}\n")
        return told
