"""What one more costs: measured once, kept beside the program that measured it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

KEPT = Path(__file__).with_name("costs.json")
"""Figures of the last measurement, which docs/capacity.md tells."""


@dataclass(frozen=True, kw_only=True)
class Costs:
    """measured: how, in words.
    memory: bytes that a process holds of each `item` (a ranker), `person in ranker` and `person in
    user_embedding`; counted: what the two caches believe a person takes.
    cpu: seconds of each `click` and `list`, by process; followed: of each click, in every ranker,
    the rest of it in one of them.
    tables: bytes in Postgres of each `item`, `person` and `event`, by table.
    topics: bytes in Kafka of each `item`, `click` and `list`, by topic (`MODEL`: its version).
    """

    measured: str
    memory: Mapping[str, float]
    counted: Mapping[str, float]
    cpu: Mapping[str, Mapping[str, float]]
    followed: float
    tables: Mapping[str, Mapping[str, float]]
    topics: Mapping[str, Mapping[str, float]]

    @classmethod
    def read(cls, path: Path = KEPT) -> Self:
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def write(self, path: Path = KEPT) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
