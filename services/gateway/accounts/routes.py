"""Accounts over HTTP. Tokens travel in bodies and in `authorization`; there are no cookies."""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

from services.gateway.access import Access
from services.gateway.accounts.account_store import Account
from services.gateway.accounts.models import (
    AccountInfo,
    ChangePasswordRequest,
    ConfirmRequest,
    LogInRequest,
    LogOutRequest,
    MailOnItsWay,
    ProfileRequest,
    RecoverRequest,
    RefreshRequest,
    RegisterRequest,
    ResetRequest,
    RoleRequest,
    Session,
    VisitBegun,
    VisitRequest,
)
from services.gateway.accounts.origins import origin_of
from services.gateway.accounts.service import REFRESH_S, Accounts, SignIn
from services.gateway.accounts.visits import Visits
from services.gateway.answers import authorization_of, json_answer
from services.gateway.bodies import read_body
from services.gateway.keys import Scope
from services.gateway.openapi import operation
from services.gateway.tokens import ACCESS_S, VISIT_S

BODY_BYTES = 16_000
"""No account needs more; a password of a megabyte is refused before it is hashed."""

M = TypeVar("M", bound=BaseModel)


def account_routes(accounts: Accounts, visits: Visits, access: Access) -> Callable[[FastAPI], None]:
    """Adds /v1/accounts, /v1/me and /v1/visits to an application."""

    def add(app: FastAPI) -> None:
        _visiting(app, visits, access)
        _coming_in(app, accounts, access)
        _recovering(app, accounts, access)
        _own_account(app, accounts, access)

    return add


def _visiting(app: FastAPI, visits: Visits, access: Access) -> None:
    @app.post(
        "/v1/visits", **operation("accounts", 200, VisitBegun, body=VisitRequest, limited=True)
    )
    async def begin_visit(request: Request) -> Response:
        """Begin a visit without an account, or go on with one. Its token opens its own data.

        Log in with the token, and the events of the visit become the person's.
        """
        body = await _read(request, VisitRequest)
        visit = await visits.begin(body.visit_token, _origin(access, request))
        return _secret(
            {
                "visitor_id": visit.visitor_id,
                "visit_token": visit.token,
                "token_type": "Bearer",
                "expires_in": VISIT_S,
            }
        )


def _coming_in(app: FastAPI, accounts: Accounts, access: Access) -> None:
    @app.post(
        "/v1/accounts",
        **operation("accounts", 202, MailOnItsWay, body=RegisterRequest, limited=True),
    )
    async def register(request: Request) -> Response:
        """Ask for an account. A mail brings the token that confirms the address.

        Where the address has an account already the answer is the same, and the mail says so.
        """
        body = await _read(request, RegisterRequest)
        await accounts.register(body.email, body.password, body.name, _origin(access, request))
        return json_answer({"status": "mail_sent"}, 202)

    @app.post(
        "/v1/accounts/confirm",
        **operation(
            "accounts", 200, Session, body=ConfirmRequest, limited=True, may_be_refused=True
        ),
    )
    async def confirm_account(request: Request) -> Response:
        """Make the account with the token of the mail and the password of the registration."""
        body = await _read(request, ConfirmRequest)
        origin = _origin(access, request)
        return _session(await accounts.confirm(body.token, body.password, body.visit_token, origin))

    @app.post(
        "/v1/accounts/log-in",
        **operation("accounts", 200, Session, body=LogInRequest, limited=True, may_be_refused=True),
    )
    async def log_in(request: Request) -> Response:
        """Log in. Five failures within 15 minutes lock the address for the caller's network."""
        body = await _read(request, LogInRequest)
        origin = _origin(access, request)
        return _session(await accounts.log_in(body.email, body.password, body.visit_token, origin))

    @app.post(
        "/v1/accounts/refresh",
        **operation("accounts", 200, Session, body=RefreshRequest, may_be_refused=True),
    )
    async def refresh(request: Request) -> Response:
        """New tokens for the last refresh token. One that was used before ends the sign-in."""
        body = await _read(request, RefreshRequest)
        return _session(await accounts.refresh(body.refresh_token))

    @app.post("/v1/accounts/log-out", **operation("accounts", 204, None, body=LogOutRequest))
    async def log_out(request: Request) -> Response:
        """End a sign-in. Its access tokens are refused within two seconds."""
        body = await _read(request, LogOutRequest)
        await accounts.log_out(body.refresh_token, everywhere=body.everywhere)
        return Response(status_code=204)


def _recovering(app: FastAPI, accounts: Accounts, access: Access) -> None:
    @app.post(
        "/v1/accounts/recover",
        **operation("accounts", 202, MailOnItsWay, body=RecoverRequest, limited=True),
    )
    async def recover_password(request: Request) -> Response:
        """Ask for a mail with a token that sets a new password, once, within 30 minutes."""
        body = await _read(request, RecoverRequest)
        await accounts.recover(body.email, _origin(access, request))
        return json_answer({"status": "mail_sent"}, 202)

    @app.post(
        "/v1/accounts/reset",
        **operation("accounts", 204, None, body=ResetRequest, limited=True, may_be_refused=True),
    )
    async def reset_password(request: Request) -> Response:
        """Set a new password with the token of the mail. Every device is logged out."""
        body = await _read(request, ResetRequest)
        await accounts.reset(body.token, body.password, _origin(access, request))
        return Response(status_code=204)


def _own_account(app: FastAPI, accounts: Accounts, access: Access) -> None:
    @app.get("/v1/me", **operation("accounts", 200, AccountInfo, own=True, may_be_missing=True))
    async def own_account(request: Request) -> Response:
        """The account that is logged in."""
        claims = access.caller(authorization_of(request)).account()
        return _info(await accounts.account(claims.person))

    @app.put(
        "/v1/me",
        **operation(
            "accounts", 200, AccountInfo, body=ProfileRequest, own=True, may_be_missing=True
        ),
    )
    async def set_profile(request: Request) -> Response:
        """Replace what the person tells about themselves."""
        claims = access.caller(authorization_of(request)).account()
        body = await _read(request, ProfileRequest)
        return _info(
            await accounts.set_profile(claims.person, body.name, body.age_band, body.interests)
        )

    @app.post(
        "/v1/me/password",
        **operation(
            "accounts",
            200,
            Session,
            body=ChangePasswordRequest,
            own=True,
            limited=True,
            may_be_missing=True,
        ),
    )
    async def change_password(request: Request) -> Response:
        """Change the password. Every other device is logged out; this one gets new tokens."""
        claims = access.caller(authorization_of(request)).account()
        body = await _read(request, ChangePasswordRequest)
        return _session(
            await accounts.change_password(claims.person, body.password, body.new_password)
        )

    @app.post(
        "/v1/accounts/role",
        **operation(
            "accounts", 200, AccountInfo, body=RoleRequest, scope=Scope.ADMIN, may_be_missing=True
        ),
    )
    async def set_role(request: Request) -> Response:
        """Say what somebody may do. Where it changes, they have to log in again."""
        access.require(authorization_of(request), Scope.ADMIN)
        body = await _read(request, RoleRequest)
        return _info(await accounts.set_role(body.email, body.role))


async def _read(request: Request, model: type[M]) -> M:
    return await read_body(request, model, BODY_BYTES)


def _origin(access: Access, request: Request) -> str | None:
    host = None if request.client is None else request.client.host
    return origin_of(access, authorization_of(request), host)


def _session(signed_in: SignIn) -> Response:
    body: dict[str, Any] = {
        "user_id": signed_in.user_id,
        "role": signed_in.role,
        "access_token": signed_in.access_token,
        "token_type": "Bearer",
        "expires_in": ACCESS_S,
        "refresh_token": signed_in.refresh_token,
        "refresh_expires_in": REFRESH_S,
        "visit_claimed": signed_in.visit_claimed,
    }
    return _secret(body)


def _secret(body: dict[str, Any]) -> Response:
    answer = json_answer(body)
    answer.headers["cache-control"] = "no-store"  # RFC 6749, 5.1
    return answer


def _info(account: Account) -> Response:
    return json_answer(
        {
            "user_id": account.user_id,
            "email": account.email,
            "role": account.role,
            "created_at": account.created_at,
            "name": account.name,
            "age_band": account.age_band,
            "interests": account.interests,
        }
    )
