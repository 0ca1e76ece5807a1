"""Making lists: find, filter, score, arrange. Pure computation, run in threads."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from pyroaring import BitMap

from headrace.errors import NotFound
from headrace.index.encoding import Vector
from headrace.index.rows import as_bitmap
from headrace.index.table import Ordinals
from headrace.index.vector_index import VectorIndex
from services.ranker import cursor
from services.ranker.answers import MadeList, RankedItem, Source
from services.ranker.catalogue import Catalogue, unit
from services.ranker.explaining import Explainer
from services.ranker.filters import Filters
from services.ranker.finders import (
    Candidates,
    Finder,
    GeneralFinder,
    NewFinder,
    Part,
    PeopleFinder,
    PersonalFinder,
    SimilarFinder,
    find_many,
)
from services.ranker.neighbours import Neighbours
from services.ranker.people import LeftOut
from services.ranker.query import ListQuery, RecommendQuery, SimilarQuery
from services.ranker.scoring import Scorer
from services.ranker.shaping import Place, Shaping
from services.ranker.trace import Trace
from services.ranker.trending import Trending
from services.ranker.users import UserVector

# Items may be hidden while a list is made. Again is rare; then a list that is short is served.
_TRIES = 3
# Whose items a list from people alike is made of: enough that a share of 1/50 is a step of scores.
_PEOPLE = 50
_NOTHING = BitMap()


class ListMaker:
    """Lists for a person, for anybody, and of what is near an item."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        retrieval: VectorIndex,
        similar: VectorIndex,
        scorer: Scorer,
        trending: Trending,
        neighbours: Neighbours,
        candidates: int,
    ) -> None:
        """candidates: how many the head scores; more where a longer list is asked for."""
        self._catalogue = catalogue
        self._retrieval = retrieval
        self._similar = similar
        self._scorer = scorer
        self._trending = trending
        self._neighbours = neighbours
        self._filters = Filters(catalogue.facets)
        self._shaping = Shaping(catalogue, self._filters, candidates)
        self._explainer = Explainer(catalogue, retrieval, scorer)
        self._candidates = candidates

    @property
    def filters(self) -> int:
        """How many are kept evaluated."""
        return len(self._filters)

    def make(
        self, query: RecommendQuery, user: UserVector | None, trace: Trace | None = None
    ) -> MadeList:
        """user: the person or the visit. trace: is told what happens on the way.

        Raises: InvalidInput where the cursor cannot be read; NotFound where none of `items` is
        known.
        """
        allowed = partial(self.allowed, query, user, (*query.session, *query.items), trace)
        finder = self.finder(query, user, trace)
        candidates = self._candidates if isinstance(finder, (PersonalFinder, NewFinder)) else 0
        if query.arranged:
            return self._arranged(query, allowed, finder, self._unwanted(user), trace)
        found = partial(self._best, query.n, finder, max(candidates, query.n), trace)
        return _full(query.n, allowed, found)

    def make_many(
        self, query: RecommendQuery, users: Sequence[UserVector]
    ) -> list[Sequence[RankedItem]]:
        """What `make` gives each of them: with one run of the head for all, where it can be."""
        if not together(query):
            return [self.make(query, user).items for user in users]
        known = [user for user in users if user.vector is not None]
        found = find_many(
            self._retrieval,
            self._scorer,
            known,
            [self.allowed(query, user) for user in known],
            max(self._candidates, query.n),
        )
        personal = {
            user.user_id: self._shown(query.n, one) for user, one in zip(known, found, strict=True)
        }
        general = self.make(query, None).items if len(known) < len(users) else []
        lists: list[Sequence[RankedItem]] = []
        for user in users:
            if user.vector is not None:
                lists.append(personal[user.user_id])
            else:
                own = user.seen or self._unwanted(user)
                lists.append(self.make(query, user).items if own else general)
        return lists

    def make_explained(
        self, query: RecommendQuery, person: LeftOut, trace: Trace | None = None
    ) -> MadeList:
        """As `make`, for a person with a vector and a kind that the head scores."""
        made = self.make(query, person.user, trace)
        user = person.user
        assert user.vector is not None
        finder = self.finder(query, user)
        allowed = self.allowed(query, user, query.session)
        found = finder.find([Part(allowed, max(self._candidates, query.n))])
        items = self._explainer.explained(made.items, as_bitmap(found.ordinals), person)
        return replace(made, items=items)

    def similar(self, query: SimilarQuery) -> MadeList:
        """By the cosine of the vectors.

        Raises: NotFound where the item is unknown or hidden.
        """
        ordinal = self._catalogue.ordinal(query.item_id)
        if ordinal is None:
            raise NotFound(f"item {query.item_id} is not in the catalogue; is the id right?")
        own = BitMap([ordinal])
        finder = SimilarFinder(self._similar, self._direction(np.array([ordinal])))
        return _full(
            query.n,
            lambda: self._catalogue.view.of(query.category) - own,
            partial(self._best, query.n, finder, query.n, None),
        )

    def allowed(
        self,
        query: ListQuery,
        user: UserVector | None,
        session: Iterable[str] = (),
        trace: Trace | None = None,
    ) -> BitMap:
        """What the list may hold."""
        excluded = BitMap(self._catalogue.ordinals((*query.exclude, *session)))
        view = self._catalogue.view
        allowed = view.of(query.category)
        if trace is not None:
            trace.again()
            trace.leaves("hidden", view.live)
            trace.leaves("category", allowed)
        if query.filter is not None:
            allowed = allowed & self._filters.matching(query.filter)
        if trace is not None:
            trace.leaves("filter", allowed)
        if user is not None and not query.include_seen:
            allowed = allowed - user.seen
        if trace is not None:
            trace.leaves("seen", allowed)
        allowed = allowed - self._unwanted(user)
        if trace is not None:
            trace.leaves("not_interested", allowed)
            trace.leaves("exclude", allowed - excluded)
        return allowed - excluded

    def _unwanted(self, user: UserVector | None) -> BitMap:
        """What the person wants in no list, seen or not, pinned or not."""
        if user is None:
            return _NOTHING
        named = map(self._catalogue.facets.in_category, user.unwanted_categories)
        return BitMap.union(user.unwanted, *named)

    def finder(
        self, query: RecommendQuery, user: UserVector | None, trace: Trace | None = None
    ) -> Finder:
        """What finds the candidates of a list of this kind.

        Raises: NotFound where none of `items` is known.
        """
        general = GeneralFinder(self._catalogue, self._trending.within(query.window))
        if query.kind == "trending":
            return general
        if query.kind == "similar":
            known = self._catalogue.ordinals(query.items)
            if not known:
                raise NotFound("none of the items is in the catalogue; are the ids right?")
            return SimilarFinder(self._similar, self._direction(np.array(known)))
        if user is None or user.vector is None:
            return NewFinder(self._catalogue, None) if query.kind == "new" else general
        if query.kind == "people_like_you":
            near = self._neighbours.nearest(user.user_id, user.vector, _PEOPLE)
            return PeopleFinder(near, general)
        personal = PersonalFinder(self._retrieval, self._scorer, user, user.vector, trace)
        return NewFinder(self._catalogue, personal) if query.kind == "new" else personal

    def _best(
        self, n: int, finder: Finder, candidates: int, trace: Trace | None, allowed: BitMap
    ) -> list[RankedItem]:
        """The first n that are live by now, as they are shown."""
        found = finder.find([Part(allowed, candidates)])
        if trace is not None:
            trace.finds(*found)
            trace.vanishes(BitMap(found.ordinals) - self._catalogue.view.live)
        return self._shown(n, found)

    def _shown(self, n: int, found: Candidates) -> list[RankedItem]:
        live = self._catalogue.view.live
        items: list[RankedItem] = []
        places = zip(found.ordinals.tolist(), found.scores.tolist(), found.sources, strict=True)
        for ordinal, score, source in places:
            if len(items) == n:
                break
            if ordinal in live:
                items.append(self._item(ordinal, score, source))
        return items

    def _arranged(
        self,
        query: ListQuery,
        allowed: Callable[[], BitMap],
        finder: Finder,
        unwanted: BitMap,
        trace: Trace | None,
    ) -> MadeList:
        places: list[Place] = []
        shown: list[Place] = []
        for _ in range(_TRIES):
            places = self._shaping.places(query, allowed(), finder, unwanted, trace)
            live = self._catalogue.view.live
            shown = [place for place in places if place.ordinal in live]
            if trace is not None:
                trace.vanishes(place.ordinal for place in places if place.ordinal not in live)
            if len(shown) == len(places):
                break
        return MadeList([self._item(*place) for place in shown], _next_cursor(query, shown))

    def _item(
        self, ordinal: int, score: float, source: Source, propensity: float | None = None
    ) -> RankedItem:
        item = self._catalogue.item(ordinal)
        content = item.content
        return RankedItem(
            content.item_id,
            score,
            content.title,
            content.categories,
            source,
            propensity,
            picture_url=item.picture_url,
        )

    def _direction(self, ordinals: Ordinals) -> Vector:
        """Of several items together: [D], of length 1."""
        vectors = unit(self._catalogue.facts(ordinals).vectors)
        direction: Vector = unit(vectors.sum(axis=0, keepdims=True))[0]
        return direction


def follows(query: ListQuery, user: UserVector | None, items: Sequence[RankedItem]) -> bool:
    """Whether what the person did has a say in their list, beside what is left out of it."""
    if user is None or user.vector is None:
        return False
    if query.kind == "people_like_you":  # where nobody is near it is what anybody gets
        return any(item.source is Source.PEOPLE for item in items)
    return query.kind in ("for_you", "new")


def together(query: ListQuery) -> bool:
    """Whether lists of many people are made in one go: those `for_you` that are not arranged."""
    return query.kind == "for_you" and not query.arranged


def _next_cursor(query: ListQuery, shown: list[Place]) -> str:
    if query.cursor is None or len(shown) < query.n:
        return ""
    before = cursor.decode(query.cursor)
    return cursor.encode(before | BitMap(place.ordinal for place in shown))


def _full(
    n: int, allowed: Callable[[], BitMap], make: Callable[[BitMap], list[RankedItem]]
) -> MadeList:
    """A list of n, or of all that are allowed: made again where an item was hidden meanwhile."""
    items: list[RankedItem] = []
    for _ in range(_TRIES):
        among = allowed()
        items = make(among)
        if len(items) >= min(n, len(among)):
            break
    return MadeList(items)
