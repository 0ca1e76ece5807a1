"""Looking into the system over HTTP."""

from collections.abc import Callable

from fastapi import FastAPI, Request, Response

from services.gateway.access import Access
from services.gateway.answers import authorization_of, json_answer, list_body
from services.gateway.bodies import read_body
from services.gateway.console.models import InspectedList, SystemStatus
from services.gateway.console.service import Console
from services.gateway.history.routes import entry_body
from services.gateway.keys import Scope
from services.gateway.models import RecommendationRequest
from services.gateway.openapi import operation

_BODY_BYTES = 1_000_000


def console_routes(console: Console, access: Access) -> Callable[[FastAPI], None]:
    """Adds them to an application."""

    def add(app: FastAPI) -> None:
        @app.post(
            "/v1/inspect/recommendations",
            **operation(
                "console",
                200,
                InspectedList,
                body=RecommendationRequest,
                scope=Scope.ADMIN,
                may_be_missing=True,
            ),
        )
        async def inspect_recommendations(request: Request) -> Response:
            """How a list comes about: whose it is, what found its candidates, what each step did.

            The list is made by the computation that makes it elsewhere; nothing is logged as shown.
            503 while the ranker is away.
            """
            access.require(authorization_of(request), Scope.ADMIN)
            asked = await read_body(request, RecommendationRequest, _BODY_BYTES)
            told = await console.inspect(asked)
            return json_answer(
                {
                    "list": list_body(asked, told.ranked),
                    "inspection": told.inspection.model_dump(),
                    "events": [entry_body(one) for one in told.events],
                    "interests": told.interests,
                }
            )

        @app.get("/v1/console/status", **operation("console", 200, SystemStatus, scope=Scope.ADMIN))
        async def system_status(request: Request) -> Response:
            """What the ranker has loaded, and how it is. 503 while it is away."""
            access.require(authorization_of(request), Scope.ADMIN)
            return json_answer({"ranker": (await console.status()).model_dump()})

    return add
