"""What a trace says about a list, in the words of the catalogue."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pyroaring import BitMap

from services.ranker.answers import RankedItem, Source
from services.ranker.catalogue import Catalogue
from services.ranker.finders import Finder, Part
from services.ranker.query import RecommendQuery
from services.ranker.trace import Trace
from services.ranker.users import UserVector

CANDIDATES = 200
EXAMPLES = 5


class Named(NamedTuple):
    """An item by its id and title."""

    item_id: str
    title: str


@dataclass(frozen=True, slots=True)
class StepTold:
    """What a step did. kept: items or candidates that it left. removed: those it took. moved: those
    it gave another place. examples: of what it took or moved, the likeliest to be shown first."""

    step: str
    kept: int
    removed: int = 0
    moved: int = 0
    examples: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True)
class CandidateTold:
    """Ranks and places count from 1; 0: it has none. retrieval_score, boosted_score: None where
    there was neither. left_out: why it is not in the list, empty where it is."""

    item: Named
    categories: tuple[str, ...]
    source: Source
    retrieval_rank: int
    retrieval_score: float | None
    rank: int
    score: float
    boosted_score: float | None
    boosted_rank: int
    place: int
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonTold:
    """Of whom the list is. recent: items last touched, those of the visit too, latest first."""

    n: int
    epoch: int
    has_vector: bool
    seen: int
    recent: tuple[Named, ...]
    last_occurred_at: float | None


class SourceTold(NamedTuple):
    """How many candidates a source found, and how many of them are in the list."""

    source: Source
    found: int
    shown: int


@dataclass(frozen=True, slots=True)
class Inspection:
    """How a list came about. found: candidates in all; `candidates` are the best of them, and all
    that are shown or were passed over."""

    person: PersonTold | None
    steps: tuple[StepTold, ...]
    sources: tuple[SourceTold, ...]
    candidates: tuple[CandidateTold, ...]
    found: int


class Inspector:
    """Reads traces."""

    def __init__(
        self,
        catalogue: Catalogue,
        finder: Callable[[RecommendQuery, UserVector | None], Finder],
    ) -> None:
        """finder: as the list had it; asked for what would have come first of what was removed."""
        self._catalogue = catalogue
        self._finder = finder

    def told(
        self,
        query: RecommendQuery,
        user: UserVector | None,
        trace: Trace,
        items: Sequence[RankedItem],
    ) -> Inspection:
        """items: the list that came of it."""
        ordinals = self._catalogue.ordinals(item.item_id for item in items)
        places = {ordinal: number for number, ordinal in enumerate(ordinals, 1)}
        found = Counter(one.source for one in trace.found.values())
        shown = Counter(trace.found[one].source for one in places if one in trace.found)
        steps = [
            *self._narrowing(trace, self._finder(query, user)),
            *self._arranging(query, trace, places),
        ]
        return Inspection(
            person=None if user is None else self._person(user),
            steps=tuple(steps),
            sources=tuple(
                SourceTold(source, count, shown[source]) for source, count in found.most_common()
            ),
            candidates=tuple(self._candidates(query, trace, places)),
            found=len(trace.found),
        )

    def _person(self, user: UserVector) -> PersonTold:
        recent = user.recent[::-1].tolist()
        known = self._catalogue.known
        return PersonTold(
            n=user.n,
            epoch=user.epoch,
            has_vector=user.vector is not None,
            seen=len(user.seen),
            recent=self._named(one for one in recent if one in known),
            last_occurred_at=user.last_occurred_at,
        )

    def _narrowing(self, trace: Trace, finder: Finder) -> Iterator[StepTold]:
        """Steps that narrow the catalogue before anything is looked for."""
        before = self._catalogue.known
        for step, after in trace.left:
            removed = before - after
            examples = finder.find([Part(removed, EXAMPLES)]).ordinals.tolist() if removed else []
            # What was deleted is in no index any more.
            named = self._named((examples or removed)[:EXAMPLES])
            yield StepTold(step, len(after), removed=len(removed), examples=named)
            before = after
        if trace.vanished:
            left = len(trace.found) - len(trace.vanished)
            named = self._named(trace.vanished[:EXAMPLES])
            yield StepTold("vanished", left, removed=len(trace.vanished), examples=named)

    def _arranging(
        self, query: RecommendQuery, trace: Trace, places: dict[int, int]
    ) -> Iterator[StepTold]:
        """Steps that the request asked for, in the order in which they count."""
        candidates = len(trace.found)
        for number in range(len(query.boost)):
            lifted = trace.boosts.get(number, [])
            best = sorted(lifted, key=lambda one: -trace.boosted[one])
            yield StepTold(
                f"boost[{number}]",
                candidates,
                moved=len(lifted),
                examples=self._named(best[:EXAMPLES]),
            )
        if query.pin:
            pinned = [one for one in trace.pinned if one in places]
            yield StepTold(
                "pin", candidates, moved=len(pinned), examples=self._named(pinned[:EXAMPLES])
            )
        ranked = trace.ranks()
        for rule, asked in (
            ("max_per_category", query.max_per_category),
            ("diversity", query.diversity),
            ("explore", query.explore),
        ):
            if asked:
                passed = [one for one in ranked if rule in trace.passed[one]]
                removed = [one for one in passed if one not in places]
                yield StepTold(
                    rule,
                    candidates - len(removed),
                    removed=len(removed),
                    moved=len(passed) - len(removed),
                    examples=self._named(passed[:EXAMPLES]),
                )

    def _candidates(
        self, query: RecommendQuery, trace: Trace, places: dict[int, int]
    ) -> Iterator[CandidateTold]:
        nearest = sorted(trace.retrieved, key=lambda one: -trace.retrieved[one])
        retrieval_ranks = {ordinal: rank for rank, ordinal in enumerate(nearest, 1)}
        ranks = {ordinal: rank for rank, ordinal in enumerate(trace.found, 1)}
        vanished = BitMap(trace.vanished)
        for rank, ordinal in enumerate(trace.ranks(), 1):
            passed: list[str] = sorted(trace.passed.get(ordinal, ()))
            if rank > CANDIDATES and ordinal not in places and not passed:
                continue
            one = trace.found[ordinal]
            displaced = query.pin and rank <= query.n
            why = passed or ["vanished" if ordinal in vanished else "pin" if displaced else "rank"]
            (item,) = self._named([ordinal])
            yield CandidateTold(
                item=item,
                categories=self._catalogue.item(ordinal).content.categories,
                source=Source.PINNED if ordinal in trace.pinned else one.source,
                retrieval_rank=retrieval_ranks.get(ordinal, 0),
                retrieval_score=trace.retrieved.get(ordinal),
                rank=ranks[ordinal],
                score=one.score,
                boosted_score=trace.boosted.get(ordinal),
                boosted_rank=rank if trace.boosted else 0,
                place=places.get(ordinal, 0),
                left_out=() if ordinal in places else tuple(why),
            )

    def _named(self, ordinals: Iterable[int]) -> tuple[Named, ...]:
        contents = [self._catalogue.item(ordinal).content for ordinal in ordinals]
        return tuple(Named(content.item_id, content.title) for content in contents)
