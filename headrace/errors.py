"""The errors of Headrace.

    HeadraceError
    ├── InvalidInput        a caller sent something that cannot be used; names each field
    ├── Unauthenticated     no valid API key or access token
    ├── PermissionDenied    the key or token does not allow it
    ├── NotFound            the thing asked for does not exist
    ├── FailedPrecondition  right request, wrong moment: another model version, say
    ├── RateLimited         too many attempts; says when the next one is possible
    ├── Unavailable         a dependency is away; the same request may succeed later
    │   └── DeadlineExceeded    … and did not answer in time
    ├── MalformedRecord     a Kafka record that cannot be used; goes to the dead letters
    ├── SettingsInvalid     a HEADRACE_* variable is missing or wrong
    ├── BundleInvalid       a model bundle's manifest and files disagree
    └── DataInvalid         a file of interactions or items cannot be trained on

gRPC codes are mapped in `headrace.runtime.rpc_errors`, HTTP problem details in
`services.gateway.problems`. A message says what happened, to what, and what to do next.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """One field at fault: its path in the request, and what would be right."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


class HeadraceError(Exception):
    """Root of every error that Headrace raises on purpose."""


class InvalidInput(HeadraceError):
    """A caller sent something that cannot be used."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__("; ".join(str(violation) for violation in violations))
        self.violations = tuple(violations)

    @classmethod
    def of(cls, field: str, reason: str) -> "InvalidInput":
        return cls([Violation(field, reason)])


class Unauthenticated(HeadraceError):
    """No valid API key or access token came with the call."""


class PermissionDenied(HeadraceError):
    """The API key or access token does not allow the call."""


class NotFound(HeadraceError):
    """The thing asked for does not exist."""


class FailedPrecondition(HeadraceError):
    """The request is right and cannot be served in the present state."""


class RateLimited(HeadraceError):
    """Too many attempts: the next one is possible after `retry_after_s` seconds."""

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(HeadraceError):
    """A dependency is away. The same request may succeed later."""


class DeadlineExceeded(Unavailable):
    """A dependency did not answer in time."""


class MalformedRecord(HeadraceError):
    """A Kafka record that cannot be used: `reason` is one word for metrics, `detail` for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class SettingsInvalid(HeadraceError):
    """Settings are missing or wrong; the message has a line for each variable."""


class BundleInvalid(HeadraceError):
    """A bundle cannot be trusted: its manifest and its files disagree."""


class DataInvalid(HeadraceError):
    """A file to train on cannot be used; the message names the file, the line and the column."""
