"""The manifest: what a bundle is, and what its files must be."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeAlias

from headrace.errors import BundleInvalid

FILE = "manifest.json"
FORMAT = 1

# A dimension of a tensor: a number, or the letter of an axis whose size varies (B, L, K, …).
Shape: TypeAlias = "tuple[int | str, ...]"
Ranking = Literal["ncf", "retrieval"]


@dataclass(frozen=True)
class FileEntry:
    """Size in bytes and digest of one file of the bundle."""

    size: int
    sha256: str


@dataclass(frozen=True)
class GraphEntry:
    """Names and shapes of what an ONNX graph takes and gives, in order."""

    inputs: Mapping[str, Shape]
    outputs: Mapping[str, Shape]


@dataclass(frozen=True)
class Manifest:
    """All that is known about a bundle.

    `width` is D of every item's vector, `user_width` D + T of a person's: the query for retrieval,
    then T numbers of what their ratings tell, for the head. `state_width` is S of a person's state.
    `event_types` maps numbers of the `EventType` proto to the trained index; '0' is the default
    for every other number, kinds that training never saw included. `rating_trained` is false
    where the data had no ratings. `max_sequence` is the longest L that one run of the
    sequence graph takes.
    """

    format: int
    model_version: str
    created_at: str
    width: int
    user_width: int
    state_width: int
    tower: str
    max_sequence: int
    event_types: Mapping[str, int]
    ranking: Ranking
    rating_trained: bool
    features: tuple[str, ...]
    items: int
    data_sha256: str
    split_sha256: str
    metrics: Mapping[str, float]
    training: Mapping[str, str | int | float | bool | None]
    graphs: Mapping[str, GraphEntry]
    files: Mapping[str, FileEntry]

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Manifest:
        """Read and check.

        Raises:
            BundleInvalid: not JSON, a field is missing or of the wrong kind, another format.
        """
        try:
            raw = json.loads(text)
        except ValueError as error:
            raise BundleInvalid(f"{FILE}: not JSON: {error}") from error
        if not isinstance(raw, dict):
            raise BundleInvalid(f"{FILE}: must be a JSON object")
        if raw.get("format") != FORMAT:
            raise BundleInvalid(
                f"{FILE}: format is {raw.get('format')!r}; this release reads format {FORMAT}"
            )
        missing = sorted({field.name for field in fields(cls)} - raw.keys())
        if missing:
            raise BundleInvalid(f"{FILE}: lacks {', '.join(missing)}")
        try:
            return cls._parsed(raw)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise BundleInvalid(f"{FILE}: a field is of the wrong kind: {error}") from error

    @classmethod
    def _parsed(cls, raw: Mapping[str, Any]) -> Manifest:
        known = {field.name: raw[field.name] for field in fields(cls)}
        known["graphs"] = {
            name: GraphEntry(_shapes(graph["inputs"]), _shapes(graph["outputs"]))
            for name, graph in raw["graphs"].items()
        }
        known["files"] = {
            name: FileEntry(int(entry["size"]), str(entry["sha256"]))
            for name, entry in raw["files"].items()
        }
        known["features"] = tuple(raw["features"])
        known["event_types"] = {str(int(k)): int(v) for k, v in raw["event_types"].items()}
        manifest = cls(**known)
        manifest._check()
        return manifest

    def _check(self) -> None:
        # The version ends the name of a Kafka topic, which allows these characters only.
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", str(self.model_version)):
            raise BundleInvalid(
                f"{FILE}: model_version {self.model_version!r} must be 1-100 of A-Z a-z 0-9 . _ -"
            )
        for name in ("width", "user_width", "state_width", "max_sequence"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise BundleInvalid(f"{FILE}: {name} is {value!r}; it must be a whole number >= 1")
        if self.ranking not in ("ncf", "retrieval"):
            raise BundleInvalid(f"{FILE}: ranking is {self.ranking!r}; it must be ncf or retrieval")


def _shapes(raw: Mapping[str, Any]) -> dict[str, Shape]:
    return {name: tuple(shape) for name, shape in raw.items()}
