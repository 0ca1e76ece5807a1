"""The one place where errors and gRPC status codes are mapped to each other."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from headrace import errors

# gRPC refuses more than 8 KiB of metadata, and 500 events can be wrong in as many ways.
_VIOLATIONS_SENT = 20
_REASON_LENGTH = 100
_MESSAGE_LENGTH = 1_000

# What grpc raises has the status in it, though RpcError's type does not say so.
FailedCall = Any
Trailing = tuple[tuple[str, str | bytes], ...]

CODES: dict[type[errors.HeadraceError], grpc.StatusCode] = {
    errors.InvalidInput: grpc.StatusCode.INVALID_ARGUMENT,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
    errors.RateLimited: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
}
_ERRORS = {code: kind for kind, code in CODES.items()}


def to_status(error: errors.HeadraceError) -> tuple[grpc.StatusCode, Trailing]:
    """The code for an error, and trailing metadata with google.rpc.BadRequest where fields err.

    Goes with `message_of` the same error.
    """
    code = next(
        (code for kind, code in CODES.items() if isinstance(error, kind)),
        grpc.StatusCode.INTERNAL,
    )
    if not isinstance(error, errors.InvalidInput):
        return code, ()
    bad_request = error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(
                field=violation.field[:_REASON_LENGTH],
                description=violation.reason[:_REASON_LENGTH],
            )
            for violation in error.violations[:_VIOLATIONS_SENT]
        ]
    )
    status = status_pb2.Status(code=code_pb2.INVALID_ARGUMENT, message=message_of(error))
    status.details.add().Pack(bad_request)
    return code, tuple(rpc_status.to_status(status).trailing_metadata)


def message_of(error: errors.HeadraceError) -> str:
    """What the caller reads."""
    message = str(error)
    return message if len(message) <= _MESSAGE_LENGTH else message[: _MESSAGE_LENGTH - 1] + "…"


@contextmanager
def rpc_errors(callee: str) -> Iterator[None]:
    """Turns the status of a failed call into our error, naming who was called."""
    try:
        yield
    except grpc.aio.AioRpcError as failure:
        raise from_rpc_error(callee, failure) from failure


def from_rpc_error(callee: str, failure: FailedCall) -> errors.HeadraceError:
    """The error behind a failed call; codes without one of their own become HeadraceError."""
    code, details = failure.code(), failure.details()
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        return errors.InvalidInput(
            _violations(failure) or [errors.Violation("request", details or "")]
        )
    kind = _ERRORS.get(code)
    if kind is not None:
        return kind(f"{callee}: {details}")
    return errors.HeadraceError(f"{callee} failed with {code.name}: {details}")


def _violations(failure: FailedCall) -> list[errors.Violation]:
    status = rpc_status.from_call(failure)
    bad_request = error_details_pb2.BadRequest()
    for detail in status.details if status is not None else ():
        if detail.Unpack(bad_request):
            return [
                errors.Violation(violation.field, violation.description)
                for violation in bad_request.field_violations
            ]
    return []
