"""What each model answered, kept on disk the moment it is known: a comparison can be resumed."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from headrace.errors import DataInvalid
from headrace.evaluation.metrics import Ranks
from headrace.training.log import EventLog
from headrace.training.split import Split

# Goes up when a result of before would come out otherwise today.
_FORMAT = 1


@dataclass(frozen=True)
class Answers:
    """Of a model on a part of Q questions.

    Shapes: ranks [Q] on the whole catalogue, top [Q,K] (columns shown; -1: the list is at its
    end), shown [Q] (items that were ranked; None: only candidates were), sampled [Q] (ranks among
    items drawn at random; None: nobody asked).
    """

    ranks: Ranks
    top: NDArray[np.int64]
    shown: NDArray[np.int64] | None = None
    sampled: Ranks | None = None


@dataclass(frozen=True)
class Fit:
    """How a model came about. `allowed_s` was its share of the time; what it took is None for a
    bundle, which came trained. `cut_short`: time ended it. `chosen`: its settings."""

    seconds: float | None
    allowed_s: float = 0.0
    cut_short: bool = False
    chosen: str = ""


@dataclass(frozen=True)
class Result:
    """A model's answers on both parts; `sampled` is how many items were drawn, 0 for none."""

    fit: Fit
    validation: Answers
    test: Answers
    sampled: int = 0


class Results:
    """Results in a folder, by model, its settings, the seed and the data; None: nothing is kept."""

    def __init__(self, folder: Path | None, log: EventLog, parts: Split, seed: int) -> None:
        self._folder = folder
        self._about = [_FORMAT, parts.digest, _digest(log), seed]

    def get(self, name: str, settings: str) -> Result | None:
        """Raises: DataInvalid where the file is damaged."""
        path = self._path(name, settings)
        if path is None or not path.exists():
            return None
        try:
            with np.load(path) as arrays:
                facts = json.loads(str(arrays["facts"]))
                parts = {part: _answers(arrays, part) for part in ("validation", "test")}
        except (ValueError, KeyError, EOFError, OSError, BadZipFile, zlib.error) as error:
            raise DataInvalid(f"{path}: is damaged; delete it, and it is made anew") from error
        return Result(Fit(**facts["fit"]), **parts, sampled=facts["sampled"])

    def keep(self, name: str, settings: str, result: Result) -> None:
        """Raises: OSError where the folder cannot be written to."""
        path = self._path(name, settings)
        if path is None:
            return
        facts = {"fit": asdict(result.fit), "sampled": result.sampled}
        facts |= {"name": name, "settings": settings}
        arrays = {"facts": np.array(json.dumps(facts))}
        for part, answers in (("validation", result.validation), ("test", result.test)):
            arrays |= {f"{part}.{key}": a for key, a in vars(answers).items() if a is not None}
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        unfinished.replace(path)  # whole, or not there

    def _path(self, name: str, settings: str) -> Path | None:
        if self._folder is None:
            return None
        key = hashlib.sha256(json.dumps([*self._about, name, settings]).encode()).hexdigest()
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower())
        return self._folder / f"{plain}-{key[:12]}.npz"


def _answers(arrays: Any, part: str) -> Answers:
    return Answers(
        arrays[f"{part}.ranks"],
        arrays[f"{part}.top"],
        arrays.get(f"{part}.shown"),
        arrays.get(f"{part}.sampled"),
    )


def _digest(log: EventLog) -> str:
    """Of all that a model may learn from."""
    digest = hashlib.sha256()
    for array in (log.offsets, log.items, log.kinds, log.gap_s, log.ratings):
        digest.update(np.ascontiguousarray(array).tobytes())
    for item in log.catalogue:
        texts = [item.item_id, item.title, item.description, item.categories, item.tags]
        digest.update(json.dumps([*texts, sorted(item.attributes.items())]).encode())
        if item.embedding is not None:
            digest.update(item.embedding.tobytes())
        if item.picture is not None:
            digest.update(item.picture.tobytes())
    return digest.hexdigest()
