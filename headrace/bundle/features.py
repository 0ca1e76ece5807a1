"""What the ranking head is told about a candidate beside the vectors.

Training and serving compute it with the one function here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headrace.bundle.known import LINKS, Counted, Pairs

Array = NDArray[np.float32]

_SPANS = (1, 5, 20)
# How far back links are followed; older items count less, by their age.
_LINK_SPANS = (1, 5, 20)
# Below this, one link more or less is noise: the strongest are about .1.
_FAINT = 1e-3

# Feature 0 is the retrieval score: the head's logit starts from it.
FEATURES = (
    "retrieval_score",
    "score_below_best",
    "popularity",
    "similarity_last_1",
    "similarity_last_5",
    "similarity_last_20",
    "similarity_nearest",
    "category_overlap",
    "attribute_distance",
    "recent_items",
    "rating",
    *(f"{link}_{span}" for link in LINKS for span in (*map(str, _LINK_SPANS), "all")),
)


class ItemFacts(NamedTuple):
    """Of candidates or of recent items.

    Shapes: vectors [..,D] of any length, categories [..,C] multi-hot, attributes [..,M]
    normalised; the leading axes are [B,K] or [B,R].
    """

    vectors: Array
    categories: NDArray[np.generic]
    attributes: Array


def candidate_features(
    retrieval_score: Array,
    popularity: Array,
    candidates: ItemFacts,
    recent: ItemFacts,
    recent_mask: Array,
    *,
    counted: Counted,
) -> Array:
    """All features of all candidates.

    Shapes: retrieval_score and popularity [B,K] (u·v + b, log(1 + count)), candidates [B,K,..],
    recent [B,R,..] oldest first, recent_mask [B,R] (1: an item, 0: padding at either end), counted
    of the same candidates and recent items -> [B,K,F] float32 in the order of `FEATURES`.
    """
    out = np.empty((*retrieval_score.shape, len(FEATURES)), dtype=np.float32)
    out[..., 0] = retrieval_score
    out[..., 1] = retrieval_score - retrieval_score.max(axis=1, keepdims=True)
    out[..., 2] = popularity
    similarity = _cosine(recent.vectors, candidates.vectors)  # [B,R,K]
    age = np.cumsum(recent_mask[:, ::-1], axis=1)[:, ::-1]  # [B,R], 1: the newest
    out[..., 3:6] = _means(similarity, recent_mask, age).transpose(0, 2, 1)
    similarity[recent_mask == 0] = -1.0
    out[..., 6] = similarity.max(axis=1)
    out[..., 7] = _category_overlap(candidates.categories, recent.categories, recent_mask)
    out[..., 8] = _attribute_distance(candidates.attributes, recent.attributes, recent_mask)
    out[..., 9] = np.log1p(recent_mask.sum(axis=1, keepdims=True))
    out[..., 10] = counted.ratings
    out[..., 11:] = _links(counted.pairs, recent_mask, age, out.shape[1])
    return out


def _links(pairs: Pairs, recent_mask: Array, age: Array, width: int) -> Array:
    """Logarithms of summed strengths, by link and span.

    Shapes: pairs of K = `width` candidates, recent_mask and age [B,R] -> [B,K,J * spans].
    """
    shape = (len(recent_mask), len(LINKS), width)
    places = int(np.prod(shape))
    # By how old the recent item is: a span is its band and those before; the last is beyond all.
    bands = len(_LINK_SPANS) + 1
    band = np.searchsorted(_LINK_SPANS, age.ravel()) * places
    fading = (recent_mask / np.maximum(age, 1.0)).ravel()
    sums = np.bincount(
        band.take(pairs.recent) + pairs.candidates,
        weights=pairs.strengths * fading.take(pairs.recent),
        minlength=bands * places,
    ).reshape(bands, *shape)
    for longer in range(1, len(_LINK_SPANS)):
        sums[longer] += sums[longer - 1]
    # "all" does not fade.
    weights = pairs.strengths * recent_mask.ravel().take(pairs.recent)
    sums[-1] = np.bincount(pairs.candidates, weights=weights, minlength=places).reshape(shape)
    logarithms: Array = np.log(sums.astype(np.float32) + np.float32(_FAINT))  # [S,B,J,K]
    return logarithms.transpose(1, 3, 2, 0).reshape(len(recent_mask), width, -1)


def _cosine(a: Array, b: Array) -> Array:
    """Shapes: a [B,R,D], b [B,K,D] -> [B,R,K]."""
    norm_a, norm_b = (np.sqrt(np.einsum("bnd,bnd->bn", x, x)) + 1e-6 for x in (a, b))
    cosine: Array = (a / norm_a[:, :, None]) @ b.transpose(0, 2, 1)
    cosine /= norm_b[:, None, :]
    return cosine


def _means(similarity: Array, recent_mask: Array, age: Array) -> Array:
    """Over the newest of each span; 0 where there are none.

    Shapes: similarity [B,R,K], recent_mask and age [B,R] -> [B,spans,K].
    """
    weights = np.stack([recent_mask * (age <= span) for span in _SPANS], axis=1)
    weights /= np.maximum(weights.sum(axis=2, keepdims=True), 1.0)
    means: Array = weights @ similarity
    return means


def _category_overlap(
    candidates: NDArray[np.generic], recent: NDArray[np.generic], recent_mask: Array
) -> Array:
    """The share of recent items that a candidate's category holds, mean over its categories."""
    touched = np.einsum("brc,br->bc", recent.astype(np.float32), recent_mask)
    touched = touched / np.maximum(recent_mask.sum(axis=1, keepdims=True), 1.0)
    mine = candidates.astype(np.float32)
    overlap: Array = (mine @ touched[:, :, None])[:, :, 0] / np.maximum(mine.sum(axis=2), 1.0)
    return overlap


def _attribute_distance(candidates: Array, recent: Array, recent_mask: Array) -> Array:
    """Root mean square distance from the mean of the recent items; 0 where there are none."""
    count = recent_mask.sum(axis=1, keepdims=True)
    centre = np.einsum("brm,br->bm", recent, recent_mask) / np.maximum(count, 1.0)
    distance: Array = np.sqrt(np.square(candidates - centre[:, None, :]).mean(axis=2))
    known: Array = distance * (count > 0)
    return known
