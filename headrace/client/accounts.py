"""The blocking client of accounts and keys."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from headrace.api.accounts.v1 import accounts_pb2_grpc, keys_pb2_grpc
from headrace.client import account_calls
from headrace.client.account_models import (
    Account,
    AgeBand,
    ApiKey,
    Role,
    Scope,
    Session,
    Visit,
)
from headrace.client.connection import Connection


class Accounts(Connection):
    """Calls the gateway. Use it in a `with` block, or close it.

    address: host:port of the gateway's gRPC door.
    api_key: an application's key, for `set_role` and keys; calls with it are not limited by
        network. Where a method acts for a person, it takes their access token instead.
    timeout_s: for each call, retries included. What must not happen twice, as a refresh, which
        would end its sign-in, is tried again only where the gateway has not begun with it.
    credentials: for TLS; without, the connection is not encrypted.
    Every method raises an error of `headrace.errors`.
    """

    _service = accounts_pb2_grpc.AccountServiceStub

    @cached_property
    def _keys(self) -> Any:
        return keys_pb2_grpc.KeyServiceStub(self._channel)

    def register(self, email: str, password: str, name: str = "") -> None:
        """Mails a token that confirms the address, or that it has an account already."""
        self._do(account_calls.register(email, password, name))

    def confirm(self, token: str, password: str, visit_token: str | None = None) -> Session:
        """Makes the account with the mailed token. Raises: Unauthenticated."""
        return self._do(account_calls.confirm(token, password, visit_token))

    def log_in(self, email: str, password: str, visit_token: str | None = None) -> Session:
        """Lets a person in. Raises: Unauthenticated, RateLimited."""
        return self._do(account_calls.log_in(email, password, visit_token))

    def refresh(self, refresh_token: str) -> Session:
        """New tokens for the last refresh token, used up ten seconds later.

        Raises: Unauthenticated.
        """
        return self._do(account_calls.refresh(refresh_token))

    def log_out(self, refresh_token: str, *, everywhere: bool = False) -> None:
        """Ends a sign-in, or all of its person."""
        self._do(account_calls.log_out(refresh_token, everywhere=everywhere))

    def recover_password(self, email: str) -> None:
        """Mails a token that sets a new password, or that there is no account."""
        self._do(account_calls.recover_password(email))

    def reset_password(self, token: str, password: str) -> None:
        """Sets a new password with the mailed token. Raises: Unauthenticated."""
        self._do(account_calls.reset_password(token, password))

    def change_password(self, access_token: str, password: str, new_password: str) -> Session:
        """Ends every other sign-in. Raises: InvalidInput where `password` is another."""
        return self._do(account_calls.change_password(password, new_password), access_token)

    def own_account(self, access_token: str) -> Account:
        """The account of an access token."""
        return self._do(account_calls.own_account(), access_token)

    def set_profile(
        self,
        access_token: str,
        *,
        name: str = "",
        age_band: AgeBand | None = None,
        interests: Sequence[str] = (),
    ) -> Account:
        """Replaces what the person tells about themselves."""
        return self._do(account_calls.set_profile(name, age_band, interests), access_token)

    def set_role(self, email: str, role: Role) -> Account:
        """Says what somebody may do. Needs scope `admin`. Raises: NotFound."""
        return self._do(account_calls.set_role(email, role))

    def begin_visit(self, visit_token: str | None = None) -> Visit:
        """Begins a visit without an account, or goes on with one."""
        return self._do(account_calls.begin_visit(visit_token))

    def create_key(self, name: str, scopes: Sequence[Scope]) -> ApiKey:
        """Makes an API key; `key` of the answer shows it this once. Needs scope `admin`."""
        return self._do(account_calls.create_key(name, scopes), of=self._keys)

    def list_keys(self) -> list[ApiKey]:
        """All keys that were made, newest first. Needs scope `admin`."""
        return self._do(account_calls.list_keys(), of=self._keys)

    def revoke_key(self, key_id: str) -> ApiKey:
        """Revokes a key, for good. Needs scope `admin`. Raises: NotFound."""
        return self._do(account_calls.revoke_key(key_id), of=self._keys)
