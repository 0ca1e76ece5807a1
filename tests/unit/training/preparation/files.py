"""Small files to prepare, and what became of them."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet as pq

from headrace.training.preparation import PreparationSettings, file_source, prepare
from headrace.training.preparation.report import Report


class Prepared:
    """Writes files into a folder and prepares them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "prepared"

    def of(
        self,
        interactions: str,
        items: str | None = None,
        settings: PreparationSettings | None = None,
    ) -> Report:
        """Texts of CSV files. Rows that are wrong are left out, however many they are."""
        events, catalogue = self.folder / "events.csv", self.folder / "items.csv"
        events.write_text(interactions, encoding="utf-8")
        if items is not None:
            catalogue.write_text(items, encoding="utf-8")
        described = file_source(catalogue) if items is not None else None
        lenient = settings or PreparationSettings(max_refused_share=0.99)
        return prepare(file_source(events), described, self.out, lenient)

    def rows(self) -> list[dict[str, object]]:
        """The interactions, in their order."""
        rows: list[dict[str, object]] = pq.read_table(self.out / "interactions.parquet").to_pylist()
        return rows

    def histories(self) -> dict[str, list[str]]:
        """Items of each person, in their order."""
        found: dict[str, list[str]] = {}
        for row in self.rows():
            found.setdefault(str(row["user_id"]), []).append(str(row["item_id"]))
        return found

    def parts(self) -> dict[str, str]:
        """The part of each item's event; for data in which each item occurs once."""
        return {str(row["item_id"]): str(row["part"]) for row in self.rows()}

    def refused(self) -> list[tuple[int, str]]:
        """Lines and reasons, sorted."""
        with (self.out / "refused.csv").open(encoding="utf-8", newline="") as file:
            return sorted((int(row["line"]), row["reason"]) for row in csv.DictReader(file))
