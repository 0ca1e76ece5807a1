"""The learning curve as JSON Lines: one object a judgement."""

from __future__ import annotations

import json
from pathlib import Path


class Curve:
    """Appends to a file; None: keeps nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def add(self, **values: float) -> None:
        if self._path is not None:
            with self._path.open("a") as file:
                file.write(json.dumps({k: round(v, 6) for k, v in values.items()}) + "\n")
