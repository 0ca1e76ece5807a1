"""Accounts over gRPC: translates, and nothing else."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import grpc

from headrace.api.accounts.v1 import accounts_pb2, accounts_pb2_grpc
from headrace.contracts.violations import check
from headrace.runtime.timestamps import to_timestamp
from services.gateway.access import Access
from services.gateway.accounts.account_store import Account
from services.gateway.accounts.key_grpc import authorization_in
from services.gateway.accounts.models import (
    ChangePasswordRequest,
    ConfirmRequest,
    LogInRequest,
    LogOutRequest,
    ProfileRequest,
    RecoverRequest,
    RefreshRequest,
    RegisterRequest,
    ResetRequest,
    RoleRequest,
    VisitRequest,
)
from services.gateway.accounts.origins import origin_of
from services.gateway.accounts.service import REFRESH_S, Accounts, SignIn
from services.gateway.accounts.visits import Visits
from services.gateway.keys import Scope
from services.gateway.tokens import ACCESS_S, VISIT_S

if TYPE_CHECKING:
    Call = grpc.aio.ServicerContext[Any, Any]

ACCOUNTS = accounts_pb2.DESCRIPTOR.services_by_name["AccountService"].full_name


class AccountServicer(accounts_pb2_grpc.AccountServiceServicer):
    """AccountService. Errors become status codes in the interceptor of `grpc_server`."""

    def __init__(self, accounts: Accounts, visits: Visits, access: Access) -> None:
        self._accounts = accounts
        self._visits = visits
        self._access = access

    async def Register(  # noqa: N802
        self, request: accounts_pb2.RegisterRequest, context: Call
    ) -> accounts_pb2.RegisterResponse:
        body = check(
            RegisterRequest,
            {"email": request.email, "password": request.password, "name": request.name},
        )
        await self._accounts.register(body.email, body.password, body.name, self._origin(context))
        return accounts_pb2.RegisterResponse()

    async def Confirm(  # noqa: N802
        self, request: accounts_pb2.ConfirmRequest, context: Call
    ) -> accounts_pb2.ConfirmResponse:
        body = check(
            ConfirmRequest,
            {
                "token": request.token,
                "password": request.password,
                "visit_token": request.visit_token or None,
            },
        )
        signed_in = await self._accounts.confirm(
            body.token, body.password, body.visit_token, self._origin(context)
        )
        return accounts_pb2.ConfirmResponse(session=_session(signed_in))

    async def LogIn(  # noqa: N802
        self, request: accounts_pb2.LogInRequest, context: Call
    ) -> accounts_pb2.LogInResponse:
        body = check(
            LogInRequest,
            {
                "email": request.email,
                "password": request.password,
                "visit_token": request.visit_token or None,
            },
        )
        signed_in = await self._accounts.log_in(
            body.email, body.password, body.visit_token, self._origin(context)
        )
        return accounts_pb2.LogInResponse(session=_session(signed_in))

    async def Refresh(  # noqa: N802
        self, request: accounts_pb2.RefreshRequest, _context: Call
    ) -> accounts_pb2.RefreshResponse:
        body = check(RefreshRequest, {"refresh_token": request.refresh_token})
        signed_in = await self._accounts.refresh(body.refresh_token)
        return accounts_pb2.RefreshResponse(session=_session(signed_in))

    async def LogOut(  # noqa: N802
        self, request: accounts_pb2.LogOutRequest, _context: Call
    ) -> accounts_pb2.LogOutResponse:
        body = check(
            LogOutRequest,
            {"refresh_token": request.refresh_token, "everywhere": request.everywhere},
        )
        await self._accounts.log_out(body.refresh_token, everywhere=body.everywhere)
        return accounts_pb2.LogOutResponse()

    async def RecoverPassword(  # noqa: N802
        self, request: accounts_pb2.RecoverPasswordRequest, context: Call
    ) -> accounts_pb2.RecoverPasswordResponse:
        body = check(RecoverRequest, {"email": request.email})
        await self._accounts.recover(body.email, self._origin(context))
        return accounts_pb2.RecoverPasswordResponse()

    async def ResetPassword(  # noqa: N802
        self, request: accounts_pb2.ResetPasswordRequest, context: Call
    ) -> accounts_pb2.ResetPasswordResponse:
        body = check(ResetRequest, {"token": request.token, "password": request.password})
        await self._accounts.reset(body.token, body.password, self._origin(context))
        return accounts_pb2.ResetPasswordResponse()

    async def ChangePassword(  # noqa: N802
        self, request: accounts_pb2.ChangePasswordRequest, context: Call
    ) -> accounts_pb2.ChangePasswordResponse:
        person = self._person(context)
        body = check(
            ChangePasswordRequest,
            {"password": request.password, "new_password": request.new_password},
        )
        signed_in = await self._accounts.change_password(person, body.password, body.new_password)
        return accounts_pb2.ChangePasswordResponse(session=_session(signed_in))

    async def GetOwnAccount(  # noqa: N802
        self, _request: accounts_pb2.GetOwnAccountRequest, context: Call
    ) -> accounts_pb2.GetOwnAccountResponse:
        account = await self._accounts.account(self._person(context))
        return accounts_pb2.GetOwnAccountResponse(account=_account(account))

    async def SetProfile(  # noqa: N802
        self, request: accounts_pb2.SetProfileRequest, context: Call
    ) -> accounts_pb2.SetProfileResponse:
        person = self._person(context)
        body = check(
            ProfileRequest,
            {
                "name": request.profile.name,
                "age_band": request.profile.age_band or None,
                "interests": list(request.profile.interests),
            },
        )
        account = await self._accounts.set_profile(person, body.name, body.age_band, body.interests)
        return accounts_pb2.SetProfileResponse(account=_account(account))

    async def SetRole(  # noqa: N802
        self, request: accounts_pb2.SetRoleRequest, context: Call
    ) -> accounts_pb2.SetRoleResponse:
        self._access.require(authorization_in(context), Scope.ADMIN)
        body = check(RoleRequest, {"email": request.email, "role": _role_name(request.role)})
        account = await self._accounts.set_role(body.email, body.role)
        return accounts_pb2.SetRoleResponse(account=_account(account))

    async def BeginVisit(  # noqa: N802
        self, request: accounts_pb2.BeginVisitRequest, context: Call
    ) -> accounts_pb2.BeginVisitResponse:
        body = check(VisitRequest, {"visit_token": request.visit_token or None})
        visit = await self._visits.begin(body.visit_token, self._origin(context))
        return accounts_pb2.BeginVisitResponse(
            visitor_id=visit.visitor_id, visit_token=visit.token, expires_in=VISIT_S
        )

    def _person(self, context: Call) -> str:
        return self._access.caller(authorization_in(context)).account().person

    def _origin(self, context: Call) -> str | None:
        return origin_of(self._access, authorization_in(context), _host(context.peer()))


def _session(signed_in: SignIn) -> accounts_pb2.Session:
    return accounts_pb2.Session(
        user_id=signed_in.user_id,
        role=_role(signed_in.role),
        access_token=signed_in.access_token,
        expires_in=ACCESS_S,
        refresh_token=signed_in.refresh_token,
        refresh_expires_in=REFRESH_S,
        visit_claimed=signed_in.visit_claimed,
    )


def _account(account: Account) -> accounts_pb2.Account:
    return accounts_pb2.Account(
        user_id=account.user_id,
        email=account.email,
        role=_role(account.role),
        created_at=to_timestamp(account.created_at),
        profile=accounts_pb2.Profile(
            name=account.name, age_band=account.age_band or "", interests=account.interests
        ),
    )


def _role(name: str) -> accounts_pb2.Role.ValueType:
    return accounts_pb2.Role.Value(f"ROLE_{name.upper()}")


def _role_name(number: int) -> str:
    """`shopper` for ROLE_SHOPPER; no role for what is unknown or absent."""
    if number not in accounts_pb2.Role.values():
        return str(number)
    return accounts_pb2.Role.Name(accounts_pb2.Role.ValueType(number)).lower().removeprefix("role_")


def _host(peer: str) -> str:
    """The address in `ipv4:203.0.113.7:4711` or `ipv6:[2001:db8::1]:4711`, percent-encoded."""
    address = unquote(peer.partition(":")[2])
    return address.rpartition(":")[0].strip("[]")
