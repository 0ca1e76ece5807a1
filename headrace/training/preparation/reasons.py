"""Why a row does not reach training. Each reason is a word for counting and a phrase for people."""

from __future__ import annotations

from dataclasses import dataclass

from headrace.pictures.reading import FORMATS, MAX_BYTES, MAX_PIXELS, Flaw
from headrace.training.preparation.kinds import KINDS

MAX_ID = 128  # characters: the contract of `headrace.api.events.v1.Event`


@dataclass(frozen=True)
class Reason:
    """`malformed`: the row itself is wrong; others are right and yet left out. `kept`: the row
    stays, without this cell."""

    name: str
    column: str
    phrase: str
    malformed: bool = True
    kept: bool = False


USER_EMPTY = Reason("user_id_empty", "user_id", "is empty; it must name something")
ITEM_EMPTY = Reason("item_id_empty", "item_id", "is empty; it must name something")
USER_LONG = Reason("user_id_too_long", "user_id", f"is longer than {MAX_ID} characters")
ITEM_LONG = Reason("item_id_too_long", "item_id", f"is longer than {MAX_ID} characters")
CELLS = Reason("cells", "", "has more or fewer cells than the first line names columns")
TIME_UNREADABLE = Reason(
    "timestamp_unreadable", "timestamp", "is neither a number, as in the rest of the file, nor ISO"
)
TIME_RANGE = Reason(
    "timestamp_out_of_range", "timestamp", "is before 1970 or after 2100 in the unit of the file"
)
POSITION = Reason("position_not_a_number", "position", "is empty or not a number")
RATING_UNREADABLE = Reason("rating_not_a_number", "rating", "is not a number")
RATING_RANGE = Reason("rating_out_of_range", "rating", "must be from 1 to 5")
RATING_MISSING = Reason("rating_missing", "rating", "is empty, and the event is a rating")
KIND_UNKNOWN = Reason(
    "event_type_unknown", "event_type", f"is unknown; must be one of {', '.join(KINDS)}"
)
ITEM_TWICE = Reason("item_id_twice", "item_id", "names an item for the second time")
EMBEDDING_UNREADABLE = Reason(
    "embedding_unreadable", "embedding", "is not a list of 1 to 4,096 finite numbers"
)
EMBEDDING_WIDTH = Reason(
    "embedding_width", "embedding", "has more or fewer numbers than the first one of the file"
)


def _flaw(flaw: Flaw, phrase: str) -> Reason:
    return Reason(f"picture_{flaw}", "picture", phrase, malformed=False, kept=True)


PICTURE_FLAWS = {
    Flaw.MISSING: _flaw(Flaw.MISSING, "names no file that can be read"),
    Flaw.TOO_LARGE: _flaw(
        Flaw.TOO_LARGE, f"has more than {MAX_BYTES >> 20} MiB or {MAX_PIXELS:,} pixels"
    ),
    Flaw.OTHER_FORMAT: _flaw(Flaw.OTHER_FORMAT, f"is none of {', '.join(FORMATS)}"),
    Flaw.BROKEN: _flaw(Flaw.BROKEN, "cannot be decoded"),
}

DUPLICATE = Reason("duplicate", "", "repeats another row", malformed=False)
SAME_MOMENT = Reason(
    "same_user_item_time", "", "is corrected by a later row of the same moment", malformed=False
)
USER_RATE = Reason("user_rate", "user_id", "does more a day than a person can", malformed=False)
ITEM_RATE = Reason(
    "item_rate", "item_id", "has far more events a person than other items", malformed=False
)
K_CORE = Reason("k_core", "", "has too few events for the k-core asked for", malformed=False)
