"""What the gateway remembers, so that it has a list while the ranker is away.

Each person's last personal list, and what is popular, of all categories and of those asked for of
late. Everything is bounded.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from headrace.contracts.categories import with_ancestors
from services.gateway.lists import RANKER_UNAVAILABLE, ListedItem, RankedList, Unwanted
from services.gateway.models import RecommendationRequest

CATEGORIES = 64
_REFRESHED_AT_ONCE = 8
_NOTHING = Unwanted()


class PersonalLists:
    """Each person's last list; those not seen longest make room beyond `places` in all."""

    def __init__(self, places: int) -> None:
        self._room = places
        self._lists: OrderedDict[str, RankedList] = OrderedDict()

    def remember(self, user_id: str, ranked: RankedList) -> None:
        self._forget(user_id)
        self._lists[user_id] = ranked
        self._room -= len(ranked.items)
        while self._room < 0:
            self._forget(next(iter(self._lists)))

    def of(self, user_id: str) -> RankedList | None:
        return self._lists.get(user_id)

    def forget(self, people: Collection[str]) -> int:
        """Returns: how many of them had a list here."""
        here = sum(user_id in self._lists for user_id in people)
        for user_id in people:
            self._forget(user_id)
        return here

    def forget_everybody(self) -> None:
        for user_id in list(self._lists):
            self._forget(user_id)

    def _forget(self, user_id: str) -> None:
        known = self._lists.pop(user_id, None)
        if known is not None:
            self._room += len(known.items)


@dataclass
class _Category:
    ranked: RankedList | None = None
    fetched: int = 0


class PopularLists:
    """The last popular lists: of everything (category None), and of categories asked for."""

    def __init__(self) -> None:
        self._everything: RankedList | None = None
        self._categories: OrderedDict[str, _Category] = OrderedDict()
        self._fetches = 0

    def filled(self) -> bool:
        return self._everything is not None

    def has_items(self) -> bool:
        """False too where the catalogue was empty when it was asked."""
        return self._everything is not None and bool(self._everything.items)

    def wanted(self, category: str) -> None:
        """Somebody asked for this category: keep its list too, until others are asked for."""
        self._categories.setdefault(category, _Category())
        self._categories.move_to_end(category)
        if len(self._categories) > CATEGORIES:
            self._categories.popitem(last=False)

    def due(self) -> list[str | None]:
        """What to fetch now: everything, and the categories that were fetched longest ago."""
        by_age = sorted(self._categories, key=lambda name: self._categories[name].fetched)
        return [None, *by_age[:_REFRESHED_AT_ONCE]]

    def store(self, category: str | None, ranked: RankedList) -> None:
        if category is None:
            self._everything = ranked
        elif (known := self._categories.get(category)) is not None:
            self._fetches += 1
            known.ranked, known.fetched = ranked, self._fetches

    def best(self, category: str | None) -> RankedList | None:
        """The list to choose from for `category`; may hold items of others."""
        known = self._categories.get(category) if category is not None else None
        return known.ranked if known is not None and known.ranked else self._everything


class Fallback:
    """Answers from memory."""

    def __init__(self, personal: PersonalLists, popular: PopularLists) -> None:
        self._personal = personal
        self.popular = popular

    def remember(self, request: RecommendationRequest, ranked: RankedList) -> None:
        """Takes note of what the ranker answered and what was asked for."""
        if request.filter is not None or request.arranged or request.kind != "for_you":
            return
        if request.category is not None and ranked.items:
            self.popular.wanted(request.category)
        if request.user_id is not None and ranked.personal and ranked.degraded is None:
            self._personal.remember(request.user_id, ranked)

    def answer(
        self, request: RecommendationRequest, unwanted: Unwanted = _NOTHING
    ) -> RankedList | None:
        """The best list without the ranker: the person's last one, then popular items.

        None: nothing is known, or not enough to tell which items pass the filter, were shown
        before, or are similar or new. Boosts, pins and limits are passed over. May hold up to
        `request.n` items.
        """
        if request.filter is not None or request.cursor or request.kind in ("similar", "new"):
            return None
        last = None
        if request.user_id is not None and request.kind == "for_you":
            last = self._personal.of(request.user_id)
        popular = self.popular.best(request.category)
        base = last or popular
        if base is None:
            return None
        candidates = [
            item
            for known in (last, popular)
            if known
            for item in known.items
            if not unwanted.has(item)
        ]
        return replace(
            base,
            items=tuple(_chosen(candidates, request)),
            degraded=RANKER_UNAVAILABLE,
            # Whether the event is stored is not known here.
            after=None if request.after is None else "unknown",
        )


def _chosen(
    candidates: Iterable[ListedItem], request: RecommendationRequest
) -> Iterable[ListedItem]:
    left_out = {*request.exclude, *request.session}
    left = request.n
    for item in candidates:
        if left == 0:
            return
        if item.item_id in left_out:
            continue
        if request.category is not None and request.category not in with_ancestors(item.categories):
            continue
        left_out.add(item.item_id)
        left -= 1
        yield item
