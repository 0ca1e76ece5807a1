"""gRPC calls that must not happen twice.

A second one would mail again, use up what the first one used up, or make another of what is wanted
once. Any other may be repeated: it leaves things as they are, or is told that it is done.
"""

_ACCOUNTS = "headrace.api.accounts.v1"

ONCE: dict[str, tuple[str, ...]] = {
    f"{_ACCOUNTS}.AccountService": (
        "Register",
        "Confirm",
        "LogIn",
        "Refresh",
        "RecoverPassword",
        "ResetPassword",
        "ChangePassword",
    ),
    f"{_ACCOUNTS}.KeyService": ("CreateKey",),
}
"""Methods by service."""

ONCE_PATHS = frozenset(
    f"/{service}/{method}" for service, methods in ONCE.items() for method in methods
)
"""As they are called."""
