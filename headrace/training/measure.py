"""What is measured at the end, on validation and test."""

from __future__ import annotations

from collections.abc import Mapping

from headrace.evaluation.metrics import Ranks, summary
from headrace.evaluation.popular import MostPopular
from headrace.evaluation.protocol import Questions, rank_targets
from headrace.training.head import list_ranks
from headrace.training.lists import Lists
from headrace.training.model import Model
from headrace.training.split import Part
from headrace.training.towers import TowerScorer

# LRURec and others hide only the items of their window; printed for comparison.
_NARROW_MASK = 200


def held_out(model: Model) -> dict[str, Part]:
    """The parts that are not empty, by name."""
    parts = {"validation": model.split.validation, "test": model.split.test}
    return {name: part for name, part in parts.items() if len(part.users)}


def popularity(model: Model) -> dict[str, float]:
    """Of the baseline that everything must beat."""
    metrics: dict[str, float] = {}
    for name, part in held_out(model).items():
        ranks = rank_targets(MostPopular(model.counts), part.questions(model.log))
        metrics |= _named(f"most_popular.{name}", ranks)
    return metrics


def beats_popularity(metrics: Mapping[str, float]) -> bool:
    """Whether what is served is better on validation than the same list for everybody."""
    return metrics["validation.NDCG@10"] > metrics["most_popular.validation.NDCG@10"]


def measured(
    model: Model, name: str, part: Part, scorer: TowerScorer, lists: Lists | None
) -> dict[str, float]:
    """Of retrieval, and of what is served: the head's order of `lists`; None: retrieval's.

    Where histories are long, retrieval is measured with the narrower mask too.
    """
    questions = part.questions(model.log)
    retrieval = rank_targets(scorer, questions)
    served = retrieval if lists is None else list_ranks(model.head, lists)
    metrics = _named(f"retrieval.{name}", retrieval) | _named(name, served)
    if any(len(history) > _NARROW_MASK for history in questions.histories):
        narrow = Questions([h[-_NARROW_MASK:] for h in questions.histories], questions.targets)
        metrics |= _named(f"retrieval_mask{_NARROW_MASK}.{name}", rank_targets(scorer, narrow))
    return metrics


def lines(name: str, part: Part, digest: str, metrics: dict[str, float]) -> list[str]:
    """The figures of a part, the served ones last."""
    of = {
        "most popular": f"most_popular.{name}",
        "retrieval": f"retrieval.{name}",
        f"retrieval, only the last {_NARROW_MASK} items hidden": (
            f"retrieval_mask{_NARROW_MASK}.{name}"
        ),
    }
    others = [
        f"{name} {title}: {_figures(prefix, metrics)}"
        for title, prefix in of.items()
        if f"{prefix}.HR@10" in metrics
    ]
    served = f"{name} users={len(part.users)} {_figures(name, metrics)} split={digest[:12]}"
    return [*others, served]


def _figures(prefix: str, metrics: dict[str, float]) -> str:
    return f"HR@10={metrics[f'{prefix}.HR@10']:.4f} NDCG@10={metrics[f'{prefix}.NDCG@10']:.4f}"


def _named(prefix: str, ranks: Ranks) -> dict[str, float]:
    return {f"{prefix}.{name}": value for name, value in summary(ranks).items()}
