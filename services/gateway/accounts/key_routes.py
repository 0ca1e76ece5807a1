"""API keys over HTTP."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Request, Response

from services.gateway.access import Access
from services.gateway.accounts.application_keys import ApplicationKeys
from services.gateway.accounts.key_models import KeyInfo, KeyList, MadeKey, NewKeyRequest
from services.gateway.accounts.key_store import KeyRecord
from services.gateway.answers import InPath, authorization_of, json_answer
from services.gateway.bodies import read_body
from services.gateway.keys import Scope
from services.gateway.openapi import operation

BODY_BYTES = 16_000
_NO_STORE = {"cache-control": "no-store"}


def key_routes(keys: ApplicationKeys, access: Access) -> Callable[[FastAPI], None]:
    """Adds /v1/keys to an application."""

    def add(app: FastAPI) -> None:
        @app.post(
            "/v1/keys",
            **operation(
                "keys", 201, MadeKey, body=NewKeyRequest, scope=Scope.ADMIN, may_conflict=True
            ),
        )
        async def create_key(request: Request) -> Response:
            """Make an API key for an application. The answer shows it, and nothing ever again."""
            caller = access.require(authorization_of(request), Scope.ADMIN)
            body = await read_body(request, NewKeyRequest, BODY_BYTES)
            made, key = await keys.create(body.name, body.scopes, caller.name)
            answer = json_answer({**_info(made), "key": key}, 201)
            answer.headers.update(_NO_STORE)
            return answer

        @app.get("/v1/keys", **operation("keys", 200, KeyList, scope=Scope.ADMIN))
        async def list_keys(request: Request) -> Response:
            """All keys that were made, revoked ones too."""
            access.require(authorization_of(request), Scope.ADMIN)
            return json_answer({"keys": [_info(one) for one in await keys.all()]})

        @app.delete(
            "/v1/keys/{key_id}",
            **operation("keys", 200, KeyInfo, scope=Scope.ADMIN, may_be_missing=True),
        )
        async def revoke_key(request: Request, key_id: InPath) -> Response:
            """Revoke a key. Every gateway refuses it within two seconds."""
            access.require(authorization_of(request), Scope.ADMIN)
            return json_answer(_info(await keys.revoke(key_id)))

    return add


def _info(record: KeyRecord) -> dict[str, Any]:
    return asdict(record)
