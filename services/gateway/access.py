"""Who is calling, and what they may do. Everything is in memory: a check costs microseconds."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from headrace.errors import PermissionDenied, Unauthenticated
from services.gateway.directory import Directory
from services.gateway.keys import ApiKeys, Scope, digest_of
from services.gateway.tokens import Claims, Kind, Tokens

_SCHEME = "bearer "
# header.claims.signature, whose header begins with `{"`: no key that Headrace makes looks so.
_JWT_BEGINS = "eyJ"

SCOPES_OF_ROLE: Mapping[str, frozenset[Scope]] = {
    "shopper": frozenset(),
    "merchandiser": frozenset({Scope.CATALOGUE}),
    "operator": frozenset({Scope.ADMIN}),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whose key or token is valid.

    name: of the key or account, for what is noted down about changes.
    claims: where a token came, what it says. Its person is the caller.
    """

    scopes: frozenset[Scope]
    name: str
    claims: Claims | None = None

    @property
    def person(self) -> str | None:
        """The id of the caller in their own log; None for an application."""
        return None if self.claims is None else self.claims.person

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def require(self, scope: Scope, people: Collection[str] = ()) -> None:
        """Passes with `scope`, and where `people`, if there are any, are the caller alone.

        Raises: PermissionDenied.
        """
        if self.may(scope):
            return
        if self.person is None:
            raise PermissionDenied(f"the API key lacks the scope `{scope}`")
        if not people:
            raise PermissionDenied(f"needs the scope `{scope}`, which this account does not have")
        if any(person != self.person for person in people):
            raise PermissionDenied(f"this token opens the data of {self.person!r} alone")

    def account(self) -> Claims:
        """Of an account that is logged in. Raises: PermissionDenied for visits and keys."""
        if self.claims is None or self.claims.kind is not Kind.ACCESS:
            raise PermissionDenied("needs the access token of an account: log in first")
        return self.claims


class Access:
    """Knows keys of the settings, keys of the directory, and tokens."""

    def __init__(self, keys: ApiKeys, tokens: Tokens, directory: Directory) -> None:
        self._keys = keys
        self._tokens = tokens
        self._directory = directory

    def caller(self, authorization: str | None) -> Caller:
        """Whose key or token the header holds. Raises: Unauthenticated."""
        if authorization is None:
            raise Unauthenticated("no API key was sent; send `Authorization: Bearer <key>`")
        if not authorization.lower().startswith(_SCHEME):
            raise Unauthenticated("the authorization header must be `Bearer <key>`")
        secret = authorization[len(_SCHEME) :].strip()
        digest = digest_of(secret)
        granted = self._keys.scopes_of(digest)
        if granted is not None:
            return Caller(granted, "settings")
        stored = self._directory.key(digest)
        if stored is not None:
            return Caller(stored.scopes, stored.key_id)
        if secret.startswith(_JWT_BEGINS):
            return self._of_token(secret)
        raise Unauthenticated("the API key is not known, or was revoked")

    def require(
        self, authorization: str | None, scope: Scope, people: Collection[str] = ()
    ) -> Caller:
        """The caller, who has `scope`, or is everybody in `people`.

        Raises: Unauthenticated, PermissionDenied.
        """
        caller = self.caller(authorization)
        caller.require(scope, people)
        return caller

    def _of_token(self, token: str) -> Caller:
        claims = self._tokens.read(token)
        if self._directory.ended(claims.session):
            # Of somebody erased nothing is kept because their token came again.
            self._tokens.drop(token)
            raise Unauthenticated("this session has ended; log in again")
        return Caller(SCOPES_OF_ROLE.get(claims.role, frozenset()), claims.person, claims)
