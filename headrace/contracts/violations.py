"""Turns pydantic's findings into the violations that callers read."""

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from headrace.errors import InvalidInput, Violation

M = TypeVar("M", bound=BaseModel)


def check(model: type[M], body: Any, *within: str | int) -> M:
    """Checks `body` against `model`; `within` is the path to it in the request.

    Raises: InvalidInput with a violation for each finding.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise InvalidInput(violations(error.errors(include_url=False), within)) from error


def violations(findings: Sequence[Any], within: Sequence[str | int] = ()) -> list[Violation]:
    """One violation a finding; a message of the form `field: reason` names its field itself."""
    result = []
    for finding in findings:
        path = [*within, *finding["loc"]]
        reason = finding["msg"].removeprefix("Value error, ")
        field, colon, rest = reason.partition(": ")
        if finding["type"] == "value_error" and colon and field.isidentifier():
            path.append(field)
            reason = rest
        result.append(Violation(dotted(path), reason))
    return result


def dotted(path: Sequence[str | int]) -> str:
    """`("events", 3, "value")` as `events[3].value`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text or "body"
