"""What people may ask about their data, over HTTP."""

from collections.abc import Callable
from dataclasses import asdict

from fastapi import FastAPI, Request, Response
from starlette.responses import StreamingResponse

from services.gateway.access import Access
from services.gateway.answers import InPath, authorization_of, json_answer
from services.gateway.bodies import read_body
from services.gateway.keys import Scope
from services.gateway.openapi import operation
from services.gateway.privacy.models import (
    CheckRequest,
    EraseRequest,
    ErasureCheck,
    ErasureInfo,
    ErasureReceipt,
    Export,
    PersonalisationInfo,
    PersonalisationRequest,
    receipt_of,
)
from services.gateway.privacy.service import Privacy

BODY_BYTES = 16_000
CHECK_BYTES = 2_000_000
"""A receipt names every visit."""
_DOWNLOAD = {
    "cache-control": "no-store",
    "content-disposition": 'attachment; filename="headrace-export.json"',
}


def privacy_routes(privacy: Privacy, access: Access) -> Callable[[FastAPI], None]:
    """Adds them to an application."""

    def add(app: FastAPI) -> None:
        _personalisation(app, privacy, access)
        _export(app, privacy, access)
        _erasing(app, privacy, access)

    return add


def _personalisation(app: FastAPI, privacy: Privacy, access: Access) -> None:
    @app.put(
        "/v1/users/{user_id}/personalisation",
        **operation(
            "privacy",
            200,
            PersonalisationInfo,
            body=PersonalisationRequest,
            scope=Scope.ADMIN,
            own=True,
        ),
    )
    async def set_personalisation(request: Request, user_id: InPath) -> Response:
        """Say whether a person's lists may be personal. Counts from the next list on."""
        access.require(authorization_of(request), Scope.ADMIN, [user_id])
        body = await read_body(request, PersonalisationRequest, BODY_BYTES)
        return json_answer(asdict(await privacy.set_personalisation(user_id, body.enabled)))

    @app.get(
        "/v1/users/{user_id}/personalisation",
        **operation("privacy", 200, PersonalisationInfo, scope=Scope.READ, own=True),
    )
    async def personalisation_of_a_person(request: Request, user_id: InPath) -> Response:
        """What the person said about personal lists."""
        access.require(authorization_of(request), Scope.READ, [user_id])
        return json_answer(asdict(await privacy.personalisation(user_id)))


def _export(app: FastAPI, privacy: Privacy, access: Access) -> None:
    @app.get(
        "/v1/users/{user_id}/export",
        **operation("privacy", 200, Export, scope=Scope.ADMIN, own=True, limited=True),
    )
    async def export_person(request: Request, user_id: InPath) -> Response:
        """Everything that is stored of a person, and of the visits that became theirs."""
        access.require(authorization_of(request), Scope.ADMIN, [user_id])
        pieces = await privacy.export(user_id)
        return StreamingResponse(pieces, media_type="application/json", headers=_DOWNLOAD)


def _erasing(app: FastAPI, privacy: Privacy, access: Access) -> None:
    @app.delete(
        "/v1/users/{user_id}",
        **operation(
            "privacy",
            202,
            ErasureReceipt,
            body=EraseRequest,
            scope=Scope.ADMIN,
            own=True,
            limited=True,
        ),
    )
    async def erase_person(request: Request, user_id: InPath) -> Response:
        """Erase a person and the visits that became theirs. The answer is the receipt: keep it.

        When it comes no table has anything of them; memories and Kafka follow within seconds.
        """
        caller = access.require(authorization_of(request), Scope.ADMIN, [user_id])
        body = await read_body(request, EraseRequest, BODY_BYTES)
        answer = json_answer(asdict(await privacy.erase(user_id, caller, body.password)), 202)
        answer.headers["cache-control"] = "no-store"
        return answer

    @app.get(
        "/v1/erasures/{erasure_id}",
        **operation("privacy", 200, ErasureInfo, may_be_missing=True),
    )
    async def erasure(erasure_id: InPath) -> Response:
        """How far an erasure is, and what was removed where. Its id is all that it takes."""
        return json_answer(asdict(await privacy.erasure(erasure_id)))

    @app.post(
        "/v1/erasures/{erasure_id}/check",
        **operation(
            "privacy", 200, ErasureCheck, body=CheckRequest, limited=True, may_be_missing=True
        ),
    )
    async def check_erasure(request: Request, erasure_id: InPath) -> Response:
        """Look again into every table, topic and memory. Takes the receipt, and some seconds."""
        body = await read_body(request, CheckRequest, CHECK_BYTES)
        found = await privacy.check_erasure(receipt_of(erasure_id, body))
        return json_answer({**asdict(found), "clean": found.clean})
