"""A canary beside the live model, in lines for people."""

from collections.abc import Iterator

from headrace.release.outcomes import Compared, Outcomes
from headrace.release.sequential import (
    MISMATCH,
    Difference,
    Estimate,
    RatioSums,
    difference,
    sample_ratio_p,
)

# What a release may change, fixed before anything was seen (`sequential.difference`).
_FIGURES = (
    ("click-through", "click_through", 0.01),
    ("conversion", "conversion", 0.002),
    ("NDCG@10", "ndcg", 0.02),
)


def lines(compared: Compared, share: float) -> Iterator[str]:
    """Per figure both models with 95 % for this moment, and the difference with 95 % for any."""
    live, candidate = compared
    p = sample_ratio_p(live.people, candidate.people, share)
    yield f"people         live {live.people:,}  candidate {candidate.people:,}  p={p:.3g}"
    if p < MISMATCH:
        yield (
            "WRONG SPLIT    these numbers of people do not come from the share: lists of one side "
            "are missing, and nothing below can be trusted"
        )
    yield f"lists          live {live.lists:,}  candidate {candidate.lists:,}"
    for title, name, tau in _FIGURES:
        before, after = _sums(live, name).ratio(), _sums(candidate, name).ratio()
        if before is None or after is None:
            yield f"{title:<13}  too little happened"
            continue
        found = difference(before, after, tau)
        yield f"{title:<13}  live {_shown(before)}  candidate {_shown(after)}"
        yield f"{'':<13}  {_verdict(found)}"


def _sums(outcomes: Outcomes, name: str) -> RatioSums:
    sums: RatioSums = getattr(outcomes, name)
    return sums


def _shown(estimate: Estimate) -> str:
    low, high = estimate.interval
    return f"{estimate.value:.4f} [{low:.4f}, {high:.4f}]"


def _verdict(found: Difference) -> str:
    change = f"{found.value:+.4f} [{found.low:+.4f}, {found.high:+.4f}] p={found.p:.3g}"
    if found.low > 0:
        return f"better: {change}"
    if found.high < 0:
        return f"worse: {change}"
    return f"not told apart: {change}"
