"""Every table that tells of people: whose a row is, and what of it a person gets to see.

A table that is not here is neither exported, erased nor looked at afterwards: a test compares the
list with the schema.
"""

from dataclasses import dataclass

_THEIR_SIGN_INS = "(SELECT sign_in_id FROM sign_ins WHERE user_id = ANY(%(people)s))"
_ITEM = "(SELECT item_id FROM items WHERE ordinal = item_ordinal) AS item_id"
_RECENT = (
    "ARRAY(SELECT item_id FROM unnest(recent_ordinals) WITH ORDINALITY AS r (ordinal, place)"
    " JOIN items USING (ordinal) ORDER BY place) AS recent_items"
)


@dataclass(frozen=True)
class Table:
    """whose: a condition that the rows of `%(people)s` fulfil. shown: a list of columns; never the
    hash of a password or a token. erase: what an erasure does, `rows` stands for name and
    condition; empty: nothing, the rows go by themselves."""

    name: str
    whose: str
    shown: str
    erase: str = "DELETE FROM {rows}"

    @property
    def erasing(self) -> str:
        """The statement that erases; empty where there is none."""
        return self.erase.format(rows=f"{self.name} WHERE {self.whose}")

    @property
    def counting(self) -> str:
        """How many rows there are."""
        return f"SELECT count(*) FROM {self.name} WHERE {self.whose}"  # noqa: S608 - constants


_OWN = "user_id = ANY(%(people)s)"

# In the order in which an erasure deletes: what others are found by comes last.
TABLES = (
    Table(
        "registrations",
        "email_key IN (SELECT email_key FROM accounts WHERE user_id = ANY(%(people)s))",
        "email, name, expires_at",
    ),
    Table(
        "refresh_tokens",
        f"sign_in_id IN {_THEIR_SIGN_INS}",
        "sign_in_id, used_at",
    ),
    Table("sign_ins", _OWN, "sign_in_id, created_at, expires_at, ended_at"),
    Table("recoveries", _OWN, "expires_at"),
    Table(
        "claimed_visits",
        "user_id = ANY(%(people)s) OR visitor_id = ANY(%(people)s)",
        "visitor_id, user_id, claimed_at, merged_n",
    ),
    Table("accounts", _OWN, "user_id, email, name, role, age_band, interests, created_at"),
    Table("personalisation", _OWN, "enabled, changed_at"),
    # The shop goes on with them.
    Table(
        "api_keys",
        "created_by = ANY(%(people)s)",
        "key_id, name, scopes, created_at",
        "UPDATE api_keys SET created_by = 'erased' WHERE created_by = ANY(%(people)s)",
    ),
    Table(
        "interactions",
        _OWN,
        f"user_id, n, event_id, {_ITEM}, category, type, value, occurred_at, accepted_at, backfill,"
        " retracted_by",
    ),
    Table(
        "waiting_events",
        _OWN,
        "user_id, event_id, item_id, type, value, occurred_at, accepted_at, backfill",
    ),
    Table("served_lists", _OWN, "user_id, served_at, model_version, item_ids"),
    Table("refused_events", _OWN, "user_id, event_id, reason, refused_at"),
    Table(
        "user_states",
        _OWN,
        f"user_id, model_version, epoch, n, state, vector, {_RECENT}, seen, unwanted,"
        " unwanted_categories, recent_event_ids,"
        " last_occurred_at, last_accepted_at",
    ),
    Table("user_counters", _OWN, "user_id, epoch, n, updated_at"),
    # Needed until the tokens expire; an id in it is that of a visit.
    Table(
        "ended_sessions",
        f"session = ANY(%(people)s) OR session IN {_THEIR_SIGN_INS}",
        "session, ended_at, until",
        erase="",
    ),
)
