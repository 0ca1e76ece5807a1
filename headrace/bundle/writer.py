"""Writing a bundle: complete in its place, or not there at all."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headrace.bundle import known, table, vocabulary, weights
from headrace.bundle.bundle import Bundle
from headrace.bundle.features import FEATURES
from headrace.bundle.known import Neighbours
from headrace.bundle.manifest import FILE, FORMAT, GraphEntry, Manifest, Ranking
from headrace.bundle.placing import put_back, put_in_place
from headrace.bundle.storage import entry_of
from headrace.bundle.table import ItemTable
from headrace.bundle.vocabulary import Vocabulary
from headrace.errors import BundleInvalid


@dataclass(frozen=True)
class Exported:
    """An ONNX graph's bytes and what it takes and gives."""

    content: bytes
    entry: GraphEntry


@dataclass(frozen=True)
class BundleContent:
    """Everything that a bundle holds, before it has a version. `weights`: what a training may start
    from, by name."""

    graphs: Mapping[str, Exported]
    weights: Mapping[str, NDArray[np.float32]]
    table: ItemTable
    neighbours: Neighbours
    vocabulary: Vocabulary
    width: int
    user_width: int
    state_width: int
    tower: str
    max_sequence: int
    event_types: Mapping[str, int]
    ranking: Ranking
    rating_trained: bool
    data_sha256: str
    split_sha256: str
    metrics: Mapping[str, float]
    training: Mapping[str, str | int | float | bool | None]


def write_bundle(
    folder: Path,
    content: BundleContent,
    check: Callable[[Bundle], None] = lambda bundle: None,
    now: datetime | None = None,
) -> Manifest:
    """Write beside `folder`, load what was written, `check` it, then put it in its place.

    A bundle that is already there is replaced, at once: a process that is killed on the way leaves
    one of the two (`placing`).

    Raises:
        BundleInvalid: `folder` holds something else, or what was written does not load.
    """
    put_back(folder)
    refuse_foreign(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    files = _files(content)
    manifest = _manifest(content, files, now or datetime.now(UTC))
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
        fresh = Path(scratch) / "new"
        fresh.mkdir()
        for name, data in {**files, FILE: manifest.to_json().encode()}.items():
            (fresh / name).write_bytes(data)
        check(Bundle.load(str(fresh)))
        put_in_place(fresh, folder)
    return manifest


def refuse_foreign(folder: Path) -> None:
    """Raises: BundleInvalid if `folder` holds something that is no bundle."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / FILE).is_file():
        raise BundleInvalid(f"{folder}: is neither empty nor a bundle; name another folder")
    if folder.exists() and not folder.is_dir():
        raise BundleInvalid(f"{folder}: is a file; a bundle is a folder")


def _files(content: BundleContent) -> dict[str, bytes]:
    files = {name: graph.content for name, graph in content.graphs.items()}
    files[table.FILE] = _packed(content.table.arrays())
    files[known.FILE] = _packed(content.neighbours.arrays())
    files[weights.FILE] = _packed(content.weights)
    files[vocabulary.FILE] = content.vocabulary.to_json().encode()
    return files


def _packed(arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    return packed.getvalue()


def _manifest(content: BundleContent, files: Mapping[str, bytes], now: datetime) -> Manifest:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(files[name])
    return Manifest(
        format=FORMAT,
        model_version=f"{now:%Y%m%d}-{digest.hexdigest()[:8]}",
        created_at=now.isoformat(timespec="seconds"),
        width=content.width,
        user_width=content.user_width,
        state_width=content.state_width,
        tower=content.tower,
        max_sequence=content.max_sequence,
        event_types=content.event_types,
        ranking=content.ranking,
        rating_trained=content.rating_trained,
        features=FEATURES,
        items=len(content.table.ids),
        data_sha256=content.data_sha256,
        split_sha256=content.split_sha256,
        metrics=content.metrics,
        training=content.training,
        graphs={name: graph.entry for name, graph in content.graphs.items()},
        files={name: entry_of(data) for name, data in files.items()},
    )
