"""Behaviour over HTTP."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

from fastapi import FastAPI, Query, Request, Response

from services.gateway.access import Access
from services.gateway.answers import authorization_of, json_answer
from services.gateway.behaviour.models import (
    ClickThroughModel,
    ClickThroughQuery,
    FunnelModel,
    FunnelQuery,
    RetentionModel,
    RetentionQuery,
    SegmentsModel,
    SegmentsQuery,
    TrendsModel,
    TrendsQuery,
)
from services.gateway.behaviour.service import Behaviour
from services.gateway.keys import Scope
from services.gateway.openapi import operation


def behaviour_routes(behaviour: Behaviour, access: Access) -> Callable[[FastAPI], None]:
    """Adds /v1/behaviour to an application."""

    def add(app: FastAPI) -> None:
        @app.get(
            "/v1/behaviour/funnel",
            **operation("behaviour", 200, FunnelModel, scope=Scope.CATALOGUE),
        )
        async def behaviour_funnel(
            request: Request, query: Annotated[FunnelQuery, Query()]
        ) -> Response:
            """How many journeys of a person with an item come how far: view, click, cart, purchase.

            A journey that reached a stage counts at the earlier ones, whether they were seen or
            not.
            """
            access.require(authorization_of(request), Scope.CATALOGUE)
            return json_answer(asdict(await behaviour.funnel(query)))

        @app.get(
            "/v1/behaviour/trends",
            **operation("behaviour", 200, TrendsModel, scope=Scope.CATALOGUE),
        )
        async def behaviour_trends(
            request: Request, query: Annotated[TrendsQuery, Query()]
        ) -> Response:
            """Which items or categories are chosen more, or less, than before."""
            access.require(authorization_of(request), Scope.CATALOGUE)
            return json_answer(asdict(await behaviour.trends(query)))

        @app.get(
            "/v1/behaviour/retention",
            **operation("behaviour", 200, RetentionModel, scope=Scope.CATALOGUE),
        )
        async def behaviour_retention(
            request: Request, query: Annotated[RetentionQuery, Query()]
        ) -> Response:
            """How many of those who came in a week are there again in later ones."""
            access.require(authorization_of(request), Scope.CATALOGUE)
            return json_answer(asdict(await behaviour.retention(query)))

        @app.get(
            "/v1/behaviour/segments",
            **operation("behaviour", 200, SegmentsModel, scope=Scope.CATALOGUE),
        )
        async def behaviour_segments(
            request: Request, query: Annotated[SegmentsQuery, Query()]
        ) -> Response:
            """How many people were there lately, often, and spent much; the best first."""
            access.require(authorization_of(request), Scope.CATALOGUE)
            return json_answer(asdict(await behaviour.segments(query)))

        @app.get(
            "/v1/behaviour/click-through",
            **operation("behaviour", 200, ClickThroughModel, scope=Scope.CATALOGUE),
        )
        async def behaviour_click_through(
            request: Request, query: Annotated[ClickThroughQuery, Query()]
        ) -> Response:
            """How much of what lists showed was chosen and bought, by position, source or model."""
            access.require(authorization_of(request), Scope.CATALOGUE)
            return json_answer(asdict(await behaviour.click_through(query)))

    return add
