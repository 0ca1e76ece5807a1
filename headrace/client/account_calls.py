"""Every call of the clients of accounts and keys, as `calls` has those of the others."""

from __future__ import annotations  # a role's type exists for the type checker alone

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from google.protobuf.timestamp_pb2 import Timestamp

from headrace.api.accounts.v1 import accounts_pb2, keys_pb2
from headrace.client.account_models import (
    Account,
    AgeBand,
    ApiKey,
    Role,
    Scope,
    Session,
    Visit,
)
from headrace.client.calls import Call
from headrace.errors import InvalidInput

_ROLES = {
    name.removeprefix("ROLE_").lower(): number
    for name, number in accounts_pb2.Role.items()
    if number
}
_ROLE_NAMES = {number: name for name, number in _ROLES.items()}


def register(email: str, password: str, name: str) -> Call[accounts_pb2.RegisterResponse, None]:
    request = accounts_pb2.RegisterRequest(email=email, password=password, name=name)
    return Call("Register", request, _nothing)


def confirm(
    token: str, password: str, visit_token: str | None
) -> Call[accounts_pb2.ConfirmResponse, Session]:
    request = accounts_pb2.ConfirmRequest(
        token=token, password=password, visit_token=visit_token or ""
    )
    return Call("Confirm", request, lambda answer: _session(answer.session))


def log_in(
    email: str, password: str, visit_token: str | None
) -> Call[accounts_pb2.LogInResponse, Session]:
    request = accounts_pb2.LogInRequest(
        email=email, password=password, visit_token=visit_token or ""
    )
    return Call("LogIn", request, lambda answer: _session(answer.session))


def refresh(refresh_token: str) -> Call[accounts_pb2.RefreshResponse, Session]:
    request = accounts_pb2.RefreshRequest(refresh_token=refresh_token)
    return Call("Refresh", request, lambda answer: _session(answer.session))


def log_out(refresh_token: str, *, everywhere: bool) -> Call[accounts_pb2.LogOutResponse, None]:
    request = accounts_pb2.LogOutRequest(refresh_token=refresh_token, everywhere=everywhere)
    return Call("LogOut", request, _nothing)


def recover_password(email: str) -> Call[accounts_pb2.RecoverPasswordResponse, None]:
    return Call("RecoverPassword", accounts_pb2.RecoverPasswordRequest(email=email), _nothing)


def reset_password(token: str, password: str) -> Call[accounts_pb2.ResetPasswordResponse, None]:
    request = accounts_pb2.ResetPasswordRequest(token=token, password=password)
    return Call("ResetPassword", request, _nothing)


def change_password(
    password: str, new_password: str
) -> Call[accounts_pb2.ChangePasswordResponse, Session]:
    request = accounts_pb2.ChangePasswordRequest(password=password, new_password=new_password)
    return Call("ChangePassword", request, lambda answer: _session(answer.session))


def own_account() -> Call[accounts_pb2.GetOwnAccountResponse, Account]:
    request = accounts_pb2.GetOwnAccountRequest()
    return Call("GetOwnAccount", request, lambda answer: _account(answer.account))


def set_profile(
    name: str, age_band: AgeBand | None, interests: Sequence[str]
) -> Call[accounts_pb2.SetProfileResponse, Account]:
    profile = accounts_pb2.Profile(name=name, age_band=age_band or "", interests=interests)
    request = accounts_pb2.SetProfileRequest(profile=profile)
    return Call("SetProfile", request, lambda answer: _account(answer.account))


def set_role(email: str, role: Role) -> Call[accounts_pb2.SetRoleResponse, Account]:
    if role not in _ROLES:
        raise InvalidInput.of("role", f"must be one of {', '.join(_ROLES)}, not {role!r}")
    request = accounts_pb2.SetRoleRequest(email=email, role=_ROLES[role])
    return Call("SetRole", request, lambda answer: _account(answer.account))


def begin_visit(visit_token: str | None) -> Call[accounts_pb2.BeginVisitResponse, Visit]:
    request = accounts_pb2.BeginVisitRequest(visit_token=visit_token or "")
    return Call("BeginVisit", request, _visit)


def create_key(name: str, scopes: Sequence[Scope]) -> Call[keys_pb2.CreateKeyResponse, ApiKey]:
    request = keys_pb2.CreateKeyRequest(name=name, scopes=scopes)
    return Call("CreateKey", request, lambda answer: _key(answer.info, answer.key))


def list_keys() -> Call[keys_pb2.ListKeysResponse, list[ApiKey]]:
    request = keys_pb2.ListKeysRequest()
    return Call("ListKeys", request, lambda answer: [_key(one) for one in answer.keys])


def revoke_key(key_id: str) -> Call[keys_pb2.RevokeKeyResponse, ApiKey]:
    request = keys_pb2.RevokeKeyRequest(key_id=key_id)
    return Call("RevokeKey", request, lambda answer: _key(answer.info))


def _nothing(_answer: Any) -> None:
    return None


def _session(session: accounts_pb2.Session) -> Session:
    return Session(
        user_id=session.user_id,
        role=_role(session.role),
        access_token=session.access_token,
        expires_in=session.expires_in,
        refresh_token=session.refresh_token,
        refresh_expires_in=session.refresh_expires_in,
        visit_claimed=session.visit_claimed,
    )


def _account(account: accounts_pb2.Account) -> Account:
    return Account(
        user_id=account.user_id,
        email=account.email,
        role=_role(account.role),
        created_at=account.created_at.ToDatetime(UTC),
        name=account.profile.name,
        age_band=cast(AgeBand, account.profile.age_band) if account.profile.age_band else None,
        interests=tuple(account.profile.interests),
    )


def _visit(answer: accounts_pb2.BeginVisitResponse) -> Visit:
    return Visit(answer.visitor_id, answer.visit_token, answer.expires_in)


def _key(info: keys_pb2.ApiKey, key: str | None = None) -> ApiKey:
    return ApiKey(
        key_id=info.key_id,
        name=info.name,
        scopes=tuple(cast(Scope, scope) for scope in info.scopes),
        created_at=info.created_at.ToDatetime(UTC),
        created_by=info.created_by,
        last_used_at=_moment(info.last_used_at) if info.HasField("last_used_at") else None,
        revoked_at=_moment(info.revoked_at) if info.HasField("revoked_at") else None,
        key=key,
    )


def _role(number: accounts_pb2.Role.ValueType) -> Role:
    return cast(Role, _ROLE_NAMES[number])


def _moment(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(UTC)
