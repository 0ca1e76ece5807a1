"""Preparation from end to end: check, spill, sort, filter, split, write, report."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path

from headrace.errors import DataInvalid
from headrace.training.preparation import reasons
from headrace.training.preparation.catalogue import Catalogue
from headrace.training.preparation.events import EventChecks
from headrace.training.preparation.histories import Piece, histories, repeats
from headrace.training.preparation.items import Items, read_source
from headrace.training.preparation.k_core import keep_core
from headrace.training.preparation.outliers import drop_absurd_items, drop_absurd_users
from headrace.training.preparation.refusals import Refusals
from headrace.training.preparation.report import Report, items_facts, refused_facts
from headrace.training.preparation.settings import PreparationSettings
from headrace.training.preparation.source import Source
from headrace.training.preparation.spill import Spill
from headrace.training.preparation.staging import staged
from headrace.training.preparation.survivors import Survivors
from headrace.training.preparation.watch import Unwatched, Watch, Watched
from headrace.training.preparation.writing import Splitter, write_histories

REFUSED = "refused.csv"
_UNWATCHED = Unwatched()


def prepare(
    interactions: Source,
    items: Source | None,
    folder: Path,
    settings: PreparationSettings | None = None,
    watch: Watch = _UNWATCHED,
) -> Report:
    """Write interactions, items, refused rows and the report to `folder`, all or nothing.

    Memory holds a chunk, the ids, and the histories of a 64th of the people.

    Raises:
        DataInvalid: a source cannot be read, lacks a column, or has too many rows that cannot
            be used; or nothing is left.
        Unavailable: the disk is full, or Postgres is away.
    """
    settings = settings or PreparationSettings()
    interactions = Watched(interactions, watch)
    items = Watched(items, watch) if items else None
    with staged(folder) as new, Refusals(new / REFUSED) as refusals:
        described = read_source(items, refusals, new) if items else Items()
        if items:
            refusals.check(items, described.rows, settings.max_refused_share)
        # Beside the result: it is the disk that has to have room.
        with tempfile.TemporaryDirectory(dir=new.parent) as spilled:
            checks = EventChecks(interactions, refusals)
            if settings.split == "time" and not checks.has_times:
                raise DataInvalid(f"{interactions.name}: a split by time needs column timestamp")
            pieces = _pieces(checks, interactions, refusals, settings, Path(spilled), watch=watch)
            kept = Survivors.everybody(pieces, len(checks.items.ids))
            report = Report(
                sources=[source.name for source in (interactions, items) if source],
                settings=asdict(settings),
                timestamps=checks.form,
                has_positions=checks.has_positions,
                missing=dict(checks.missing),
            )
            _filter(kept, checks, settings, report)
            catalogue = Catalogue(described, checks.items.ids)
            splitter = Splitter(settings, kept, checks.items.ids)
            leave_out = partial(refusals.add, interactions)
            outcome = write_histories(
                new,
                kept,
                catalogue,
                splitter,
                leave_out,
                ordered=checks.has_times or checks.has_positions,
                watch=watch,
            )
        if not outcome.interactions:
            raise DataInvalid(
                f"{interactions.name}: nothing is left of {checks.rows:,} rows; "
                f"ask for a smaller k-core or keep outliers"
            )
        catalogue.write(new)
        report.rows = {"interactions": checks.rows, "items": described.rows}
        report.outcome = outcome
        report.items = items_facts(described, catalogue)
        report.refused = refused_facts(refusals)
        report.write(new)
    return report


def _pieces(
    checks: EventChecks,
    source: Source,
    refusals: Refusals,
    settings: PreparationSettings,
    folder: Path,
    *,
    watch: Watch,
) -> list[Piece]:
    """All rows that can be used, as histories on disk."""
    with Spill(folder) as spill:
        for chunk in source.chunks():
            accepted = checks.accepted(chunk)
            # Here too: a row repeated ten million times never makes a piece of that size.
            repeated = repeats(accepted)
            lines = accepted["line"].to_numpy()[repeated]
            refusals.add(source, lines, reasons.DUPLICATE)
            spill.add(accepted.filter(~repeated))
    if not checks.rows:
        raise DataInvalid(f"{source.name}: has no rows; at least one interaction is needed")
    refusals.check(source, checks.rows, settings.max_refused_share)
    ordered = histories(spill, source, refusals, checks.has_times)
    return list(watch.pieces("sorting", ordered, len(list(spill.pieces()))))


def _filter(
    kept: Survivors, checks: EventChecks, settings: PreparationSettings, report: Report
) -> None:
    if settings.drop_outliers:
        if checks.has_times:
            report.outliers.append(drop_absurd_users(kept))
        report.outliers.append(drop_absurd_items(kept))
    if settings.min_user_events > 1 or settings.min_item_events > 1:
        report.k_core = keep_core(kept, settings.min_user_events, settings.min_item_events)
