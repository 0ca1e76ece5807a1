"""Who may do what: keys by their scopes, tokens by whose they are."""

import base64
import json

import jwt
import pytest

from headrace.errors import PermissionDenied, Unauthenticated
from services.gateway.access import Access
from services.gateway.directory import Directory, StoredKey
from services.gateway.keys import ApiKeys, Scope, digest_of
from services.gateway.tokens import Claims, Kind, Tokens
from tests.unit.gateway.memory import Clock

SECRET = "a-secret-of-32-characters-or-more"
KEYS = ApiKeys.parse("first-key-0123456789:events+read,\nsecond:key-0123456789:admin")
ANN = Claims(Kind.ACCESS, "ann", "s1", "shopper")


class World:
    """A clock, and access by it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.tokens = Tokens.parse(f"k1:{SECRET}", self.clock)
        self.directory = Directory(self.clock)
        self.access = Access(KEYS, self.tokens, self.directory)

    def bearer(self, claims: Claims = ANN, seconds: int = 600) -> str:
        return f"Bearer {self.tokens.sign(claims, seconds)}"


@pytest.fixture
def world() -> World:
    return World()


def test_a_key_allows_its_scopes_and_no_other(world: World) -> None:
    world.access.require("Bearer first-key-0123456789", Scope.EVENTS)
    world.access.require("bearer first-key-0123456789", Scope.READ, ["anybody"])
    with pytest.raises(PermissionDenied, match="`catalogue`"):
        world.access.require("Bearer first-key-0123456789", Scope.CATALOGUE)


def test_admin_allows_everything_and_a_key_may_hold_a_colon(world: World) -> None:
    for scope in Scope:
        world.access.require("Bearer second:key-0123456789", scope)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer ",
        "Bearer unknown-key-0123456789",
        "Basic first-key-0123456789",
        "Bearer eyJ",
        "Bearer eyJ.eyJ.",
        "Bearer first-key-0123456789\u0130",
    ],
)
def test_anything_else_is_no_key(world: World, header: str | None) -> None:
    with pytest.raises(Unauthenticated):
        world.access.require(header, Scope.EVENTS)


def test_a_stored_key_allows_its_scopes_until_it_is_revoked(world: World) -> None:
    key = "hr_stored"
    stored = StoredKey("key_1", frozenset({Scope.READ}))
    world.directory.refresh_keys(lambda: {digest_of(key): stored})
    assert world.access.require(f"Bearer {key}", Scope.READ).name == "key_1"
    with pytest.raises(PermissionDenied):
        world.access.require(f"Bearer {key}", Scope.ADMIN)
    assert list(world.directory.take_used()) == ["key_1"]
    assert not world.directory.take_used()
    world.directory.refresh_keys(dict)
    with pytest.raises(Unauthenticated, match="revoked"):
        world.access.require(f"Bearer {key}", Scope.READ)


def test_a_token_opens_the_data_of_its_person_alone(world: World) -> None:
    world.access.require(world.bearer(), Scope.READ, ["ann"])
    for people in (["bob"], ["ann", "bob"], []):
        with pytest.raises(PermissionDenied):
            world.access.require(world.bearer(), Scope.READ, people)


@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        ("shopper", set()),
        ("merchandiser", {Scope.CATALOGUE}),
        ("operator", set(Scope)),
        ("admin", set()),
    ],
)
def test_a_role_stands_for_scopes(world: World, role: str, scopes: set[Scope]) -> None:
    caller = world.access.caller(world.bearer(Claims(Kind.ACCESS, "ann", "s1", role)))
    assert {scope for scope in Scope if caller.may(scope)} == scopes


def test_a_visit_is_no_account(world: World) -> None:
    visit = world.access.caller(world.bearer(Claims(Kind.VISIT, "v1", "v1")))
    visit.require(Scope.EVENTS, ["v1"])
    with pytest.raises(PermissionDenied, match="log in"):
        visit.account()
    with pytest.raises(PermissionDenied, match="log in"):
        world.access.caller("Bearer second:key-0123456789").account()


def test_an_expired_token_is_refused(world: World) -> None:
    bearer = world.bearer(seconds=600)
    world.clock.now = 599
    world.access.caller(bearer)
    world.clock.now = 600
    with pytest.raises(Unauthenticated, match="expired"):
        world.access.caller(bearer)


def test_a_session_that_ended_takes_its_tokens_along(world: World) -> None:
    bearer, other = world.bearer(), world.bearer(Claims(Kind.ACCESS, "ann", "s2", "shopper"))
    world.directory.end([("s1", 600.0)])
    with pytest.raises(Unauthenticated, match="ended"):
        world.access.caller(bearer)
    world.access.caller(other)
    world.clock.now = 601
    world.directory.end([("s3", 900.0)])
    assert not world.directory.ended("s1")  # its tokens have expired: forgotten


def _forged(header: dict[str, str], body: dict[str, object], signature: str = "") -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in (header, body)
    ]
    return ".".join([*parts, signature])


BODY: dict[str, object] = {
    "iss": "headrace", "typ": "access", "sub": "ann", "sid": "s1", "exp": 600, "role": "operator",
}  # fmt: skip


@pytest.mark.parametrize(
    "token",
    [
        _forged({"alg": "none", "kid": "k1"}, BODY),
        _forged({"alg": "None", "kid": "k1", "typ": "JWT"}, BODY, "AAAA"),
        jwt.encode(BODY, "another-secret-of-32-characters-0", "HS256", headers={"kid": "k1"}),
        jwt.encode(BODY, SECRET, "HS256", headers={"kid": "k2"}),
        jwt.encode(BODY, SECRET, "HS256"),
        jwt.encode(BODY, SECRET * 2, "HS512", headers={"kid": "k1"}),
        jwt.encode({**BODY, "iss": "elsewhere"}, SECRET, "HS256", headers={"kid": "k1"}),
        jwt.encode({**BODY, "typ": "refresh"}, SECRET, "HS256", headers={"kid": "k1"}),
        jwt.encode({**BODY, "sub": 7}, SECRET, "HS256", headers={"kid": "k1"}),
        jwt.encode({k: v for k, v in BODY.items() if k != "exp"}, SECRET, headers={"kid": "k1"}),
        jwt.encode({**BODY, "exp": "soon"}, SECRET, "HS256", headers={"kid": "k1"}),
        "eyJ" + "A" * 1_000_000,
    ],
)
def test_a_forged_or_foreign_token_is_refused(world: World, token: str) -> None:
    with pytest.raises(Unauthenticated):
        world.access.caller(f"Bearer {token}")


def test_a_changed_letter_breaks_a_token(world: World) -> None:
    header, body, signature = world.tokens.sign(ANN, 600).split(".")
    stronger = json.loads(base64.urlsafe_b64decode(body + "=="))
    stronger["role"] = "operator"
    changed = base64.urlsafe_b64encode(json.dumps(stronger).encode()).rstrip(b"=").decode()
    with pytest.raises(Unauthenticated):
        world.access.caller(f"Bearer {header}.{changed}.{signature}")


def test_keys_that_sign_are_replaced_without_logging_anybody_out() -> None:
    clock = Clock()
    old, new = f"k1:{SECRET}", f"k2:{SECRET[::-1]}"
    before = Tokens.parse(old, clock).sign(ANN, 600)
    both = Tokens.parse(f"{new},{old}", clock)
    assert both.read(before) == ANN
    assert Tokens.parse(new, clock).read(both.sign(ANN, 600)) == ANN
    with pytest.raises(Unauthenticated, match="not known"):
        Tokens.parse(new, clock).read(before)


@pytest.mark.parametrize(
    "text", ["", "k1", "k1:short", f":{SECRET}", f"k 1:{SECRET}", f"k1:{SECRET},k1:{SECRET}x"]
)
def test_wrong_token_keys_are_refused_without_showing_them(text: str) -> None:
    with pytest.raises(ValueError, match="key") as refused:
        Tokens.parse(text)
    assert SECRET not in str(refused.value)
    assert "short" not in str(refused.value)
