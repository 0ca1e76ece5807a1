"""Every error has a code, and every code it needs finds its way back."""

import grpc
import pytest

from headrace import errors
from headrace.runtime.rpc_errors import message_of, to_status


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidInput.of("n", "1 to 200"), grpc.StatusCode.INVALID_ARGUMENT),
        (errors.Unauthenticated(), grpc.StatusCode.UNAUTHENTICATED),
        (errors.PermissionDenied(), grpc.StatusCode.PERMISSION_DENIED),
        (errors.NotFound(), grpc.StatusCode.NOT_FOUND),
        (errors.FailedPrecondition(), grpc.StatusCode.FAILED_PRECONDITION),
        (errors.Unavailable(), grpc.StatusCode.UNAVAILABLE),
        (errors.DeadlineExceeded(), grpc.StatusCode.DEADLINE_EXCEEDED),
        (errors.BundleInvalid(), grpc.StatusCode.INTERNAL),
        (errors.HeadraceError(), grpc.StatusCode.INTERNAL),
    ],
)
def test_each_error_has_the_code_that_its_meaning_asks_for(
    error: errors.HeadraceError, code: grpc.StatusCode
) -> None:
    assert to_status(error)[0] is code


def test_a_status_stays_within_what_grpc_carries() -> None:
    error = errors.InvalidInput(
        [errors.Violation(f"events[{n}]." + "x" * 200, "ä" * 200) for n in range(500)]
    )
    _, trailing = to_status(error)
    size = sum(len(key) + len(value) for key, value in trailing)
    # Base64 adds a third to binary values, percent-encoding up to five times to the message.
    assert size < 8_000
    assert len(message_of(error)) == 1_000


def test_a_short_message_is_left_alone() -> None:
    assert message_of(errors.NotFound("item 7 does not exist")) == "item 7 does not exist"
