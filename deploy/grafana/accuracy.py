"""The dashboard of accuracy: are the lists good, by what people do next."""

from deploy.grafana.panels import Board, Panel, Row
from deploy.grafana.queries import rate, share

_HOUR = "[1h]"


def _per(part: str, whole: str, by: str = "", where: str = "") -> str:
    """One counter over another, of the last hour."""
    summed = f"sum by ({by}) " if by else "sum "
    return f"{summed}(rate({part}{_HOUR})) / {summed}(rate({whole}{where}{_HOUR}))"


def _scored(part: str, where: str = 'person="known"', also: str = "") -> str:
    labels = ", ".join(filter(None, (where, also)))
    return _per(
        f"headrace_accuracy_{part}_total{{{labels}}}",
        f"headrace_accuracy_clicks_total{{{where}}}",
    )


def _came(outcome: str, by: str) -> dict[str, str]:
    return {
        f"{{{{{by}}}}}": _per(
            f'headrace_shown_outcomes_total{{outcome="{outcome}"}}',
            "headrace_shown_items_total",
            by,
        )
    }


ACCURACY = Board(
    "accuracy",
    "Headrace / Accuracy",
    [
        Row(
            "Would the list have held what was chosen next?",
            [
                Panel(
                    "Hit rate, last hour",
                    {f"@{k}": _scored("hits", also=f'k="{k}"') for k in (5, 10, 20)},
                    "percentunit",
                    "Of known people: the share of clicks whose item was among the first k of the "
                    "list that the vector before the click makes.",
                ),
                Panel(
                    "NDCG@10 and MRR@10, last hour",
                    {"NDCG@10": _scored("gains"), "MRR@10": _scored("reciprocal_ranks")},
                    "none",
                ),
                Panel(
                    "Hit rate @10 against seven days",
                    {
                        "6 hours": "headrace:accuracy_hit_rate10:ratio_rate6h",
                        "7 days": "headrace:accuracy_hit_rate10:ratio_rate7d",
                    },
                    "percentunit",
                    "Below 0.7 of the seven days: HeadraceAccuracyDropped.",
                ),
                Panel(
                    "Hit rate @10 of first clicks",
                    {"new people": _scored("hits", 'person="new"', 'k="10"')},
                    "percentunit",
                    "Against what somebody new gets: what is trending, then popular.",
                ),
                Panel(
                    "Hit rate @10 by model",
                    {
                        "{{model_version}}": _per(
                            'headrace_accuracy_hits_total{k="10"}',
                            "headrace_accuracy_clicks_total",
                            "model_version",
                        )
                    },
                    "percentunit",
                ),
                Panel(
                    "Interactions, scored or why not",
                    {"{{outcome}}": rate("headrace_accuracy_events_total", "outcome")},
                    "cps",
                    "unremembered: no vector so old is held. between: one update took several "
                    "events. repeat: seen or touched before. The decision 0012 has the rest.",
                ),
            ],
        ),
        Row(
            "What comes of what is shown?",
            [
                Panel("Click-through by source", _came("click", "source"), "percentunit", width=6),
                Panel(
                    "Click-through by position",
                    _came("click", "position"),
                    "percentunit",
                    width=6,
                ),
                Panel(
                    "Click-through by model",
                    _came("click", "model_version"),
                    "percentunit",
                    width=6,
                ),
                Panel("Bought, by source", _came("purchase", "source"), "percentunit", width=6),
                Panel("Bought, by position", _came("purchase", "position"), "percentunit", width=6),
                Panel(
                    "Bought, by model", _came("purchase", "model_version"), "percentunit", width=6
                ),
                Panel(
                    "Served lists by what became of them",
                    {"{{outcome}}": rate("headrace_shown_lists_total", "outcome")},
                    "cps",
                    "forgotten: before their window was over, for lack of room.",
                    width=6,
                ),
                Panel(
                    "Choices by whether a list had shown the item",
                    {"{{outcome}}": rate("headrace_shown_clicks_total", "outcome")},
                    "cps",
                    width=6,
                ),
            ],
        ),
        Row(
            "Are the chances true?",
            [
                Panel(
                    "Clicks a shown item, by the chance that the head gave",
                    {
                        "up to {{chance}}": _per(
                            "headrace_calibration_clicks_total",
                            "headrace_calibration_items_total",
                            "chance",
                        )
                    },
                    "percentunit",
                    "Rising with the chance: the head is right about the order.",
                ),
                Panel(
                    "Chance and clicks, mean",
                    {
                        "chance": _per(
                            "headrace_calibration_chance_total",
                            "headrace_calibration_items_total",
                        ),
                        "clicks": _per(
                            "headrace_calibration_clicks_total",
                            "headrace_calibration_items_total",
                        ),
                    },
                    "percentunit",
                    "The chance is that of being the next choice among the candidates, a click "
                    "that of being noticed too: what tells is how their ratio moves.",
                ),
                Panel(
                    "Items shown, by chance",
                    {"up to {{chance}}": rate("headrace_calibration_items_total", "chance")},
                    "cps",
                ),
            ],
        ),
        Row(
            "What do people get to see?",
            [
                Panel(
                    "Share of the catalogue shown in the last hour",
                    {"coverage": "max(headrace_coverage_ratio)"},
                    "percentunit",
                    width=6,
                ),
                Panel(
                    "Novelty, bits an item",
                    {"bits": _per("headrace_novelty_bits_total", "headrace_novelty_items_total")},
                    "none",
                    "Mean of -log2 of an item's share of training's interactions: 10 is one in a "
                    "thousand.",
                    width=6,
                ),
                Panel(
                    "Cold starts",
                    {
                        "share of lists": share(
                            'headrace_lists_total{source=~"trending|popular"}',
                            "headrace_lists_total",
                        )
                    },
                    "percentunit",
                    "Lists that begin with what anybody likes.",
                    width=6,
                ),
                Panel(
                    "Fallbacks",
                    {
                        "share of lists": share(
                            'headrace_gateway_lists_total{degraded!="no"}',
                            "headrace_gateway_lists_total",
                        )
                    },
                    "percentunit",
                    "Lists that are worse than they could be, since something is away.",
                    width=6,
                ),
            ],
        ),
        Row(
            "Does it drift?",
            [
                Panel(
                    "Inputs, six hours against seven days",
                    {"{{input}}": "headrace:input_drift:psi6h"},
                    "none",
                    "Population stability index: below 0.1 the same, above 0.25 another one.",
                    width=12,
                    threshold=0.25,
                ),
                Panel(
                    "Chances, six hours against seven days",
                    {"chances": "headrace:score_drift:psi6h"},
                    "none",
                    width=12,
                    threshold=0.25,
                ),
            ],
        ),
    ],
)
