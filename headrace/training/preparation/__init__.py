"""From raw interactions and items to clean, ordered, split files, and a report of every change."""

from headrace.training.preparation.files import file_source
from headrace.training.preparation.pipeline import prepare
from headrace.training.preparation.postgres_source import postgres_sources
from headrace.training.preparation.settings import SPLITS, PreparationSettings, SplitKind
from headrace.training.preparation.watch import Bars

__all__ = [
    "SPLITS",
    "Bars",
    "PreparationSettings",
    "SplitKind",
    "file_source",
    "postgres_sources",
    "prepare",
]
