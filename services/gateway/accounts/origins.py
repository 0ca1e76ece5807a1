"""Where a call came from, for rate limits."""

from headrace.errors import Unauthenticated
from services.gateway.access import Access
from services.gateway.accounts.limits import network


def origin_of(access: Access, authorization: str | None, host: str | None) -> str | None:
    """The caller's network; None for an application with a key: many people stand behind it.

    A key or token that is not valid opens nothing here and is no fault either: who refreshes an
    expired token may send it along.
    """
    if authorization is not None:
        try:
            if access.caller(authorization).claims is None:
                return None
        except Unauthenticated:
            return network(host)
    return network(host)
