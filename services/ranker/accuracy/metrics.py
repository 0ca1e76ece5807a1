"""What live accuracy measures: sums and counts. Rates, shares and drift are Prometheus' to make.

Every label has few values, known beforehand but for the versions of models: beyond `MODELS`
of them all count as `other`.
"""

from bisect import bisect_left

from prometheus_client import Counter, Gauge

from headrace.evaluation.drift import Ranges

MODELS = 8
OTHER = "other"
HIT_RATES_AT = (5, 10, 20)
K = 10
"""Of NDCG and MRR."""

EVENTS = Counter(
    "headrace_accuracy_events_total",
    "Interactions read for live accuracy, by what became of each: scored, or why not.",
    ["outcome"],
)
WAITING = Gauge(
    "headrace_accuracy_waiting", "Clicks that wait to be scored, or for the vector before them."
)
CLICKS = Counter(
    "headrace_accuracy_clicks_total",
    "Clicks that were scored, each times the clicks that it stands for; person: new (the first of a"
    " log) or known.",
    ["model_version", "person"],
)
HITS = Counter(
    "headrace_accuracy_hits_total",
    "Of these, times their weight, those whose item was among the first k of the list before.",
    ["model_version", "person", "k"],
)
GAINS = Counter(
    "headrace_accuracy_gains_total",
    "Sum of 1 / log2(rank + 1) within the first ten, times the weight: by clicks, NDCG@10.",
    ["model_version", "person"],
)
RECIPROCAL_RANKS = Counter(
    "headrace_accuracy_reciprocal_ranks_total",
    "Sum of 1 / rank within the first ten, times the weight: by clicks, MRR@10.",
    ["model_version", "person"],
)

LISTS = Counter(
    "headrace_shown_lists_total",
    "Lists on topic impressions, by what became of each here.",
    ["outcome"],
)
SHOWN = Counter(
    "headrace_shown_items_total",
    "Items shown to people of whom this process reads what they do.",
    ["model_version", "source", "position"],
)
OUTCOMES = Counter(
    "headrace_shown_outcomes_total",
    "Items shown that were chosen (click: any sign of interest) or bought within the window.",
    ["model_version", "source", "position", "outcome"],
)
CREDITS = Counter(
    "headrace_shown_clicks_total",
    "Signs of interest, by whether a list had shown the item to the person within the window.",
    ["outcome"],
)
PREDICTED_ITEMS = Counter(
    "headrace_calibration_items_total",
    "Items shown with a chance by the head, by that chance.",
    ["model_version", "chance"],
)
PREDICTED = Counter(
    "headrace_calibration_chance_total",
    "Sum of these chances.",
    ["model_version", "chance"],
)
PREDICTED_CLICKS = Counter(
    "headrace_calibration_clicks_total",
    "Of these items, those that were chosen within the window.",
    ["model_version", "chance"],
)

COVERAGE = Gauge(
    "headrace_coverage_ratio", "Share of the catalogue that was shown to anybody in the last hour."
)
NOVELTY = Counter(
    "headrace_novelty_bits_total",
    "Sum over items shown of -log2 of the item's share of training's interactions.",
)
NOVELTY_ITEMS = Counter("headrace_novelty_items_total", "Items shown whose novelty was summed.")
INPUTS = Counter(
    "headrace_inputs_total",
    "What the model is given: live interactions, by a property of each and its range.",
    ["input", "range"],
)


POSITIONS = Ranges(1, 1, 3, 5, 10, 20)
CHANCES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0)
"""The greatest chance of each range; the label is this number."""


def chance_range(chance: float) -> int:
    """The place in CHANCES."""
    return min(bisect_left(CHANCES, chance), len(CHANCES) - 1)


class ModelNames:
    """Versions as labels, at most so many."""

    def __init__(self, most: int = MODELS) -> None:
        self._most = most
        self._known: set[str] = set()

    def label(self, model_version: str) -> str:
        if model_version not in self._known:
            if len(self._known) >= self._most:
                return OTHER
            self._known.add(model_version)
        return model_version
