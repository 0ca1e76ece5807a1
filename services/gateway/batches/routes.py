"""Lists of many people over HTTP: a line of JSON each, as they are made; and which were shown."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from starlette.responses import StreamingResponse

from headrace.errors import HeadraceError
from services.gateway.access import Access
from services.gateway.answers import authorization_of, json_answer, request_id
from services.gateway.batches.models import (
    DEADLINE_S,
    BatchRequest,
    RecordedImpressions,
    RecordImpressionsRequest,
)
from services.gateway.bodies import read_body
from services.gateway.keys import Scope
from services.gateway.lists import PersonList
from services.gateway.openapi import operation
from services.gateway.problems import answer_to
from services.gateway.service import Gateway

_LINES = "application/x-ndjson"
_EXAMPLE = """\
{"request_id": "9f1c2d7a4b5e6f80", "kind": "for_you", "user_id": "259", \
"model_version": "ml-100k", "as_of": "2026-01-31T12:00:00Z", "personal": true, "items": []}
{"end": 1}
"""


class Lines(StreamingResponse):
    """JSON, a document a line."""

    media_type = _LINES


def batch_routes(gateway: Gateway, access: Access, body_bytes: int) -> Callable[[FastAPI], None]:
    """Adds them to an application. body_bytes: greatest size of a body."""
    described = operation("lists", 200, None, body=BatchRequest, scope=Scope.READ)
    described["responses"][200] = {
        "description": "A list a line, as they are made",
        "content": {
            _LINES: {
                "schema": {"type": "string", "description": "Of each line: `BatchLine`."},
                "example": _EXAMPLE,
            }
        },
    }

    def add(app: FastAPI) -> None:
        @app.post("/v1/recommendations/batch", response_class=Lines, **described)
        async def recommendations_of_many(request: Request) -> Response:
            """Lists of many people, each the one that the person gets alone. They are made while
            they are read, with a bounded share of the ranker, and are no impressions until they
            are reported as shown.

            A line of JSON each. The last line is `{"end": <lists>}`; without it some are missing.
            """
            access.require(authorization_of(request), Scope.READ)
            asked = await read_body(request, BatchRequest, body_bytes)
            lists = gateway.batches.make(asked, DEADLINE_S)
            # What fails before there is a list is still a problem document.
            first = await anext(lists, None)
            same = {"request_id": request_id(), "kind": asked.kind}
            return Lines(_written(first, lists, same))

        @app.post(
            "/v1/impressions",
            **operation(
                "lists",
                202,
                RecordedImpressions,
                body=RecordImpressionsRequest,
                scope=Scope.EVENTS,
                own=True,
            ),
        )
        async def record_impressions(request: Request) -> Response:
            """Tell that people see lists now that a batch made: a mail was opened, a page built
            from a file. Lists that are asked for when they are shown are noted down by themselves.

            A line of a batch can be sent as it came. What is reported again counts again.
            """
            caller = access.caller(authorization_of(request))
            asked = await read_body(request, RecordImpressionsRequest, body_bytes)
            caller.require(Scope.EVENTS, {one.user_id for one in asked.lists})
            gateway.batches.shown(asked.lists)
            return json_answer({"lists": len(asked.lists)}, 202)

    return add


async def _written(
    first: list[PersonList] | None,
    others: AsyncGenerator[list[PersonList], None],
    same: dict[str, str],
) -> AsyncIterator[bytes]:
    count = 0
    async with aclosing(others):
        try:
            if first is not None:
                yield _lines(first, same)
                count += len(first)
            async for lists in others:
                yield _lines(lists, same)
                count += len(lists)
        except HeadraceError as error:
            yield b'{"problem":' + bytes(answer_to(error).body) + b"}\n"
            return
    yield orjson.dumps({"end": count}, option=orjson.OPT_APPEND_NEWLINE)


def _lines(lists: list[PersonList], same: dict[str, str]) -> bytes:
    return b"".join(_line(one, same) for one in lists)


def _line(one: PersonList, same: dict[str, str]) -> bytes:
    """same: what every line of the batch says."""
    fields: dict[str, Any] = {
        **same,
        "user_id": one.user_id,
        "model_version": one.model_version,
        "as_of": one.as_of,
        "personal": one.n_applied > 0,
        "items": one.items,
    }
    return orjson.dumps(fields, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
