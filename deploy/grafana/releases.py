"""The dashboard of releases: does the model that is on its way do as well as the live one?"""

from deploy.grafana.panels import Board, Panel, Row
from deploy.grafana.queries import quantile, rate, share

_SECONDS = "headrace_release_list_seconds"
_OVERLAP = "headrace_release_shadow_overlap_ratio"
_LIVE = 'count by (model_version) (headrace_release_info{variant="live"})'
_VARIANTS = ("live", "candidate")
_NEWEST = "headrace_training_newest_timestamp_seconds"

RELEASES = Board(
    "releases",
    "Headrace / Releases",
    [
        Row(
            "Which models are released?",
            [
                Panel(
                    "Models",
                    {
                        "{{variant}}: {{model_version}}, {{stage}} in {{slot}}": (
                            "max by (variant, model_version, stage, slot) (headrace_release_info)"
                        ),
                    },
                    about="Now. `headrace release status` tells what is still to come.",
                    kind="names",
                ),
                Panel(
                    "Share of people, or of requests as a shadow",
                    {"candidate": "max(headrace_release_share_ratio)"},
                    "percentunit",
                ),
                Panel(
                    "Live versions in the eyes of gateways",
                    {"versions": f"count({_LIVE}) or vector(0)"},
                    about="Two for up to a second after a switch.",
                    threshold=2,
                ),
            ],
        ),
        Row(
            "Does the candidate make its lists, and how quickly?",
            [
                Panel(
                    "Lists a second while a model is on its way",
                    {
                        name: rate(f"{_SECONDS}_count", where=f'variant="{name}"')
                        for name in _VARIANTS
                    },
                    "reqps",
                ),
                Panel(
                    "p99 of the ranker",
                    {
                        name: quantile(_SECONDS, 0.99, where=f'variant="{name}"')
                        for name in _VARIANTS
                    },
                    "s",
                    "Beyond half of HEADRACE_RANKER_DEADLINE_MS the live model makes the list.",
                    threshold=0.15,
                ),
                Panel(
                    "Lists that the candidate failed to make",
                    {
                        "{{reason}}": (
                            "sum by (reason) "
                            "(rate(headrace_release_candidate_failures_total[$__rate_interval]))"
                        )
                    },
                    "reqps",
                    "The live model makes those of a canary. Twenty of two hundred in one gateway "
                    "stop the release.",
                ),
                Panel(
                    "What a shadow's lists share with those shown",
                    {"mean": share(f"{_OVERLAP}_sum", f"{_OVERLAP}_count")},
                    "percentunit",
                    width=12,
                ),
                Panel(
                    "Requests that were not copied to the shadow",
                    {"skipped": rate("headrace_release_shadow_skipped_total")},
                    "reqps",
                    "The candidate was busy with others.",
                    width=12,
                ),
            ],
        ),
        Row(
            "What came of training?",
            [
                Panel(
                    "Runs by outcome",
                    {"{{outcome}}": "max by (outcome) (headrace_training_runs)"},
                    about="Those in Postgres. `headrace release status` tells of the newest.",
                    width=12,
                ),
                Panel(
                    "Since the newest run",
                    {"newest": f"time() - max({_NEWEST} > 0) or vector(0)"},
                    "s",
                    "0 where there never was one. Two missed nights raise an alert.",
                    width=12,
                    threshold=50 * 3_600,
                ),
            ],
        ),
    ],
)
