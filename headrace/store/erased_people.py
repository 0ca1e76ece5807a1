"""Who was erased, for all that stores something of people: their past must not come back."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor  # noqa: N812

CLOCKS_DIFFER = timedelta(seconds=5)
"""What was accepted so shortly after an erasure counts as before: gateways' clocks may differ."""


class Erased(NamedTuple):
    """at: what was accepted until then is refused. epoch: the first of a new log under the id."""

    at: datetime
    epoch: int


def digest_of(column: str) -> str:
    """SQL for what `erased_people` keeps of an id. The pepper is read once a statement."""
    pepper = "(SELECT pepper FROM erasure_pepper)"
    return f"sha256({pepper} || convert_to({column}, 'UTF8'))"


_ERASED = f"""
    SELECT u, e.erased_at, e.epoch FROM unnest(%s::text[]) AS u
    JOIN erased_people e ON e.person = {digest_of("u")}
    WHERE EXISTS (SELECT FROM erased_people)
"""  # noqa: S608 - constants only


def erased_among(cursor: Cursor, user_ids: Collection[str]) -> Mapping[str, Erased]:
    """Those of these people who were erased."""
    cursor.execute(_ERASED, (list(user_ids),))
    return {user: Erased(at + CLOCKS_DIFFER, epoch) for user, at, epoch in cursor.fetchall()}
