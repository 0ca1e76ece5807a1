"""What preparation found, changed, and why: `report.json` for programs, `report.md` for people."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from headrace.bundle.vocabulary import words_of
from headrace.training.preparation.catalogue import Catalogue
from headrace.training.preparation.items import Items
from headrace.training.preparation.k_core import Core
from headrace.training.preparation.markdown import markdown
from headrace.training.preparation.outliers import RateRule
from headrace.training.preparation.refusals import Refusals
from headrace.training.preparation.staging import REPORT
from headrace.training.preparation.writing import Outcome


@dataclass
class Report:
    """Filled stage by stage. `timestamps` is their form, `missing` counts cells by column."""

    sources: list[str]
    settings: Mapping[str, Any]
    timestamps: str | None
    has_positions: bool
    missing: Mapping[str, int]
    rows: Mapping[str, int] = field(default_factory=dict)
    refused: list[dict[str, Any]] = field(default_factory=list)
    outliers: list[RateRule] = field(default_factory=list)
    k_core: Core | None = None
    items: Mapping[str, Any] = field(default_factory=dict)
    outcome: Outcome | None = None

    def facts(self) -> dict[str, Any]:
        """As plain values; what is not a number is None."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    def markdown(self) -> str:
        return markdown(self.facts())

    def line(self) -> str:
        """The outcome on one line."""
        assert self.outcome is not None
        outcome = self.outcome
        refused = sum(reason["rows"] for reason in self.refused if not reason["kept"])
        return (
            f"{outcome.users:,} people, {outcome.items:,} items, {outcome.interactions:,} events, "
            f"{refused:,} rows left out, split={outcome.split_sha256[:12]}"
        )

    def write(self, folder: Path) -> None:
        text = json.dumps(self.facts(), indent=2, ensure_ascii=False)
        (folder / REPORT).write_text(text + "\n", encoding="utf-8")
        (folder / "report.md").write_text(self.markdown(), encoding="utf-8")


def refused_facts(refusals: Refusals) -> list[dict[str, Any]]:
    """Rows by file and reason, the most frequent reason first."""
    return [
        {
            "file": name,
            "reason": reason.name,
            "rows": rows,
            "phrase": reason.phrase,
            "kept": reason.kept,
        }
        for name, counts in refusals.counts.items()
        for reason, rows in counts.most_common()
    ]


def items_facts(described: Items, catalogue: Catalogue) -> dict[str, Any]:
    """How much there is to place items by."""
    contents = described.contents
    words = [words_of(item) for item in contents]
    lengths = [len(of_item) for of_item in words]
    vocabulary = Counter(word for of_item in words for word in of_item)
    categories = {category for item in contents for category in item.categories}
    undescribed = len(catalogue.undescribed())
    return {
        "catalogue": catalogue.size,
        "described": len(contents),
        "touched": catalogue.touched,
        "touched_without_description": undescribed,
        "described_without_events": catalogue.size - catalogue.touched,
        "without_text": lengths.count(0),
        "without_categories": sum(not item.categories for item in contents),
        "words": len(vocabulary),
        "longest_text_of_98_percent": int(np.quantile(lengths, 0.98)) if lengths else 0,
        "categories": len(categories),
        "with_embedding": sum(item.embedding is not None for item in contents),
        "embedding_width": next(
            (len(item.embedding) for item in contents if item.embedding is not None), 0
        ),
        "with_picture": sum(item.picture is not None for item in contents),
        "columns": [
            {
                "column": attribute.column,
                "attribute": attribute.name,
                "taken_as": attribute.fate,
                "missing": attribute.missing,
                "centre_and_scale": attribute.normalisation(),
            }
            for attribute in described.attributes
        ],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
