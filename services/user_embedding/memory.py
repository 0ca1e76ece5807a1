"""The rules for what is remembered of a person's items beside the recurrent state."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from pyroaring import BitMap

from headrace.contracts.events import EventType

RECENT_ITEMS = 50
RECENT_EVENTS = 16
# Each is a set operation for every list of the person, and rides on every vector.
UNWANTED_CATEGORIES = 200

Touch = tuple[int, int]
"""An item's ordinal and the number of the EventType."""


@dataclass(frozen=True)
class Memory:
    """What becomes of recent and seen items.

    seen_types: numbers of the event types that make an item seen.
    """

    seen_types: Collection[int]

    def recent(self, before: Sequence[int], touches: Iterable[Touch]) -> tuple[int, ...]:
        """The last items touched, oldest first, each once: touched again, it moves to the end.

        An item that is disliked or not wanted leaves them. Cut to length at every touch, so that
        the result does not depend on how the log was split.
        """
        items = list(before)
        for ordinal, kind in touches:
            if ordinal in items:
                items.remove(ordinal)
            if kind not in (EventType.DISLIKE, EventType.NOT_INTERESTED):
                items.append(ordinal)
                del items[:-RECENT_ITEMS]
        return tuple(items)

    def seen(self, before: BitMap, touches: Iterable[Touch]) -> BitMap:
        """The items not to be shown again; `before` itself where none is new."""
        new = [o for o, kind in touches if kind in self.seen_types and o not in before]
        return before | BitMap(new) if new else before


def recent_events(before: Sequence[str], event_ids: Sequence[str]) -> tuple[str, ...]:
    """The last event ids, oldest first."""
    return (*before, *event_ids[-RECENT_EVENTS:])[-RECENT_EVENTS:]


def unwanted_items(before: BitMap, touches: Iterable[Touch]) -> BitMap:
    """The items that the person wants in no list; `before` itself where none is new."""
    new = [o for o, kind in touches if kind == EventType.NOT_INTERESTED and o not in before]
    return before | BitMap(new) if new else before


def unwanted_categories(before: Sequence[str], names: Iterable[str]) -> tuple[str, ...]:
    """The categories of which the person wants nothing, each once, the one said last at the end."""
    said = dict.fromkeys(before)
    for name in names:
        said.pop(name, None)
        said[name] = None
    return tuple(said)[-UNWANTED_CATEGORIES:]
