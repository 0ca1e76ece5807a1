"""Figures for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from headrace.bundle import Manifest
from headrace.evaluation.cold import ColdFigures
from headrace.evaluation.evaluate import Evaluation, Losses
from headrace.evaluation.losses import Loss
from headrace.evaluation.measured import HEADLINE, Measured
from headrace.evaluation.rated import Rated


def lines_of(evaluation: Evaluation, manifest: Manifest) -> Iterator[str]:
    """What was measured, with 95 % intervals over people; the last line is for machines."""
    yield f"bundle {manifest.model_version}, order of {manifest.ranking}"
    for part, served in evaluation.served.items():
        yield f"\n{part}"
        for order, measured in (("retrieval", evaluation.retrieval[part]), ("served", served)):
            for metric, found in measured.intervals.items():
                yield f"  {order:<9}  {metric:<13} {found}"
        for metric, value in served.lists.items():
            yield f"  served     {metric:<13} {value:.4f}"
    yield "\ntest, by slice"
    yield from _slices(evaluation.served["test"])
    if evaluation.sampled:
        yield "\namong items drawn at random (test): only for comparing with tables made that way"
        for order, figures in evaluation.sampled.items():
            for metric, interval in figures.items():
                yield f"  {order:<9}  {metric:<13} {interval}"
    yield "\nNDCG@10 lost in serving (test)"
    yield from _losses(evaluation.losses)
    if evaluation.ratings:
        yield "\nratings of what was held out, told from training alone (test); liked: 4 or more"
        yield from _ratings(evaluation.ratings)
    yield last_line(evaluation)


def cold_lines_of(found: ColdFigures, digest: str) -> Iterator[str]:
    """Recall of cold items, of which training knew nothing; the last line is for machines."""
    yield (
        f"\ncold items (test): {found.items:,}, something is known of {found.described_items:,}; "
        f"{found.people:,} people, by their warm items alone"
    )
    for ranked, by_order in found.recall.items():
        yield f"  ranked {ranked}"
        for order, recall in by_order.items():
            known = found.described[ranked][order]
            yield f"    {order:<9}  recall@100 {recall}  of items with content {known}"
    served = found.recall["among cold items"]["served"].mean
    yield f"cold users={found.people} recall@100={served:.4f} split={digest[:12]}"


def last_line(evaluation: Evaluation) -> str:
    """`test users=N HR@10=… NDCG@10=… split=…`."""
    test = evaluation.served["test"]
    figures = " ".join(f"{name}={test.intervals[name].mean:.4f}" for name in HEADLINE)
    people = len(evaluation.split.test.users)
    return f"test users={people} {figures} split={evaluation.split.digest[:12]}"


def _slices(test: Measured) -> Iterator[str]:
    for name, part in test.slices.items():
        figures = "  ".join(f"{metric} {found}" for metric, found in part.values.items())
        yield f"  {name:<13} {part.questions:>6}  {figures if part.questions else '-'}"


def _ratings(ratings: Mapping[str, Rated]) -> Iterator[str]:
    for name, found in ratings.items():
        off, liked = found.errors, found.liked
        yield (
            f"  {name:<13}  {found.events} ratings  MAE {off.mae:.4f}  MSE {off.mse:.4f}  RMSE "
            f"{off.rmse:.4f}  accuracy {liked.accuracy:.4f}  precision {liked.precision:.4f}  "
            f"recall {liked.recall:.4f}  F1 {liked.f1:.4f}  AUC {found.auc:.4f}"
        )


def _losses(losses: Losses) -> Iterator[str]:
    named: Mapping[str, Loss | None] = {
        "index, against every vector": losses.index,
        "candidates, against the head on everything": losses.candidates,
        "export, against torch in training": losses.export,
    }
    for name, loss in named.items():
        if loss is not None:
            yield (
                f"  {name}: {loss.lost:+.4f} ({loss.whole:.4f} - {loss.served:.4f}, "
                f"{loss.people} people)"
            )
