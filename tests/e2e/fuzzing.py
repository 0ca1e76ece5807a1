"""Schemathesis calls every operation of an OpenAPI document, as those who may call it by turns."""

import itertools
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, Self

import httpx
import orjson
import schemathesis
from schemathesis import Case, GenerationMode, HookContext, SerializationContext
from schemathesis.core.transport import Response
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.hooks import unregister

from headrace.local.system import LocalSystem
from services.gateway.keys import Scope
from tests.e2e.test_people import PASSWORD, mailed_token
from tests.e2e.visitor import API_KEY

CONFIG: dict[str, Any] = {
    "seed": 1,
    "continue-on-failure": True,
    "request-timeout": 10,
    # Cases drawn by chance, beside the examples of the document and each boundary of its schemas.
    "generation": {"max-examples": 10, "no-shrink": True, "with-security-parameters": False},
    "phases": {
        "stateful": {"enabled": False},
        # Two methods that nothing takes stand for the others.
        "coverage": {"unexpected-methods": ["patch", "trace"]},
        # Ids from answers would revoke the callers' keys, and end the person's session.
        "fuzzing": {"extra-data-sources": {"responses": False}},
    },
    "checks": {
        # A filter beyond 20,000 characters may be beyond what a request's head holds, too.
        "negative_data_rejection": {
            "expected-statuses": [400, 401, 403, 404, 405, 409, 413, 415, 429, 431]
        },
        # What JSON Schema cannot say the document leaves to prose: ids in visible characters, two
        # fields that exclude each other. So not all that a schema allows is accepted.
        "positive_data_acceptance": {"enabled": False},
        # An item may be called `upload`, so `/v1/items/upload` takes what `/v1/items/{item_id}`
        # does, and says so.
        "allow_header_conformance": {"enabled": False},
        # Many operations serve nobody in particular. Who may call what is tested by itself.
        "ignored_auth": {"enabled": False},
    },
    "operations": [
        {
            # A thousand boundaries of a filter are called at `/v1/recommendations` already.
            "include-path": "/v1/recommendations/batch",
            "phases": {"coverage": {"enabled": False}},
        },
        {
            # Whatever comes is a file: its broken lines are told in the report.
            "include-path": "/v1/items/upload",
            "checks": {"negative_data_rejection": {"enabled": False}},
        },
    ],
}


@schemathesis.serializer("application/x-ndjson")
def _as_line(_: SerializationContext, value: object) -> bytes:
    return value.encode() if isinstance(value, str) else orjson.dumps(value)


class Callers:
    """A key of all scopes, one of each, a person and nobody, by turns; and what they were answered.

    A person who is erased, or whose sessions are ended, by what is called is followed by another.
    """

    def __init__(self, system: LocalSystem) -> None:
        self._system = system
        self._http = httpx.Client(base_url=system.http_url, timeout=30)
        self._admin = {"Authorization": f"Bearer {API_KEY}"}
        self._headers = {"all scopes": self._admin, "nobody": {}, "person": {}}
        for scope in Scope:
            body = {"name": scope.value, "scopes": [scope.value]}
            key = self._http.post("/v1/keys", json=body, headers=self._admin).json()
            self._headers[scope.value] = {"Authorization": f"Bearer {key['key']}"}
        self._known = {"item_id": "item-3"}
        self._turns: dict[str, Iterator[str]] = {}
        self._turn = ""
        self.answered: defaultdict[str, Counter[tuple[str, int]]] = defaultdict(Counter)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def sign(self, case: Case[Any]) -> None:
        """Gives the case the key or token of whose turn it is, and real ids where it is good."""
        if case.operation.label not in self._turns:
            self._turns[case.operation.label] = itertools.cycle(self._headers)
            self._see_to_the_person()
        self._turn = next(self._turns[case.operation.label])
        case.headers.update(self._headers[self._turn])
        if case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE:
            for place in (case.path_parameters, case.query, case.body):
                self._name_what_is_there(place)

    def note(self, case: Case[Any], response: Response) -> None:
        self.answered[case.operation.label][self._turn, response.status_code] += 1

    def keys_are_valid(self) -> bool:
        return all(
            self._http.get("/v1/me", headers=headers).status_code == httpx.codes.FORBIDDEN
            for caller, headers in self._headers.items()
            if caller not in ("nobody", "person")
        )

    def _see_to_the_person(self) -> None:
        if self._http.get("/v1/me", headers=self._headers["person"]).is_success:
            return
        email = f"{uuid.uuid4().hex}@example.com"
        account = {"email": email, "password": PASSWORD}
        answer = self._http.post("/v1/accounts", json=account, headers=self._admin)
        assert answer.is_success, answer.text
        token = mailed_token(self._system, email)
        confirmation = {"token": token, "password": PASSWORD}
        session = self._http.post("/v1/accounts/confirm", json=confirmation).json()
        self._headers["person"] = {"Authorization": f"Bearer {session['access_token']}"}
        self._known["user_id"] = session["user_id"]

    def _name_what_is_there(self, place: object) -> None:
        if isinstance(place, list):
            for one in place:
                self._name_what_is_there(one)
        elif hasattr(place, "items"):
            for name, value in place.items():
                if name in self._known and isinstance(value, str):
                    place[name] = self._known[name]  # type: ignore[index]
                else:
                    self._name_what_is_there(value)


def faults(
    document: dict[str, Any], streams: set[str], system: LocalSystem, callers: Callers
) -> list[str]:
    """What was answered against the document, each with the call that shows it."""
    given = {**CONFIG, "base-url": system.http_url, "cache": {"enabled": False}}
    config = schemathesis.Config.from_dict(given)
    schema = schemathesis.openapi.from_dict(document, config=config).exclude(
        lambda context: context.operation.label in streams
    )

    @schemathesis.hook
    def before_call(_: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
        callers.sign(case)

    @schemathesis.hook
    def after_call(_: HookContext, case: Case[Any], response: Response) -> None:
        callers.note(case, response)

    found = []
    try:
        for event in from_schema(schema).execute():
            if isinstance(event, events.FatalError):
                raise event.exception
            if isinstance(event, events.NonFatalError):
                found.append(f"{event.label}: {event.info.format()}")
            if isinstance(event, events.ScenarioFinished):
                found.extend(_failures(event.recorder))
    finally:
        unregister(before_call)
        unregister(after_call)
    return found


def _failures(recorder: ScenarioRecorder) -> Iterator[str]:
    for check in itertools.chain.from_iterable(recorder.checks.values()):
        if check.failure_info is not None:
            told = check.failure_info
            yield f"{recorder.label}: {told.failure}\n{told.code_sample[:2_000]}"
