"""Which kinds of lists there are."""

from typing import Literal

ListKind = Literal["for_you", "similar", "trending", "new", "people_like_you"]
Window = Literal["hour", "day", "week"]

SIMILAR_TO = 50
