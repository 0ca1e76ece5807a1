"""Words of a query, and which known words a mistyped one may stand for."""

import re
import unicodedata
from collections.abc import Iterable

from rapidfuzz.distance import OSA

WORDS = 16
"""Of a query count; the rest is passed over."""

_WORD = re.compile(r"[^\W_]+")
_MARKS = re.compile("[\u0300-\u036f]")
_SHORTEST = 3  # a slip in a shorter word makes any other
_LONG = 8  # from here on two slips are forgiven
_REPLACEMENTS = 4


def folded(text: str) -> str:
    """As `folded` in the schema: lower case, without accents, words parted by single spaces."""
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", text).lower())
    return " ".join(_WORD.findall(bare))


def words_of(query: str) -> list[str]:
    """Each once, in order, at most WORDS."""
    return list(dict.fromkeys(folded(query).split()))[:WORDS]


def keys(word: str) -> list[str]:
    """What a known word one slip away has among its own keys; of long words, two slips."""
    if len(word) < _SHORTEST:
        return []
    one = _shortened({word})
    return sorted({word} | one | (_shortened(one) if len(word) >= _LONG else set()))


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """The known words within reach of `word`, nearest first, at most four.

    Distance: insertions, deletions, replacements and swaps of neighbours (optimal string
    alignment).
    """
    reach = 2 if len(word) >= _LONG else 1
    distances = {other: OSA.distance(word, other, score_cutoff=reach) for other in known}
    within = [other for other, distance in distances.items() if distance <= reach]
    # People get the first letter right.
    within.sort(key=lambda other: (distances[other], other[:1] != word[:1], other))
    least = distances[within[0]] if within else 0
    return [other for other in within if distances[other] == least][:_REPLACEMENTS]


def _shortened(words: Iterable[str]) -> set[str]:
    return {word[:place] + word[place + 1 :] for word in words for place in range(len(word))}
