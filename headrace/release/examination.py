"""What is looked at before a model may be proposed. Pure, apart from reading the bundle."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # gateways and most commands know the registry, and run no graph
    from headrace.bundle.manifest import Manifest
    from headrace.bundle.storage import BundleFolder

FIGURE = "NDCG@10"
# The test part first: validation chose the model.
_PARTS = ("test", "validation")


@dataclass(frozen=True)
class Examined:
    """A bundle whose files are those of its manifest. figures: NDCG@10 by part."""

    bundle_url: str
    model_version: str
    manifest_sha256: str
    width: int
    embedding_width: int
    split_sha256: str
    figures: Mapping[str, float]


def manifest_digest(folder: BundleFolder) -> str:
    """sha256 of the manifest as it lies there."""
    return hashlib.sha256(folder.manifest_bytes).hexdigest()


def examine(url: str) -> Examined:
    """Reads every file and runs every graph's declaration against it.

    Raises: BundleInvalid where a file is missing, altered, or of another shape than the manifest's.
    """
    from headrace.bundle import Bundle  # noqa: PLC0415
    from headrace.bundle.storage import BundleFolder  # noqa: PLC0415

    folder = BundleFolder(url)
    for name in folder.manifest.files:
        folder.read(name)
    bundle = Bundle.load(url)
    return Examined(
        bundle_url=url,
        model_version=bundle.model_version,
        manifest_sha256=manifest_digest(folder),
        width=bundle.width,
        embedding_width=_embedding_width(bundle.manifest),
        split_sha256=bundle.manifest.split_sha256,
        figures={
            part: bundle.manifest.metrics[f"{part}.{FIGURE}"]
            for part in _PARTS
            if f"{part}.{FIGURE}" in bundle.manifest.metrics
        },
    )


def objections(candidate: Examined, live: Examined) -> list[str]:
    """Why the candidate should not follow on the live model; empty: nothing speaks against it."""
    worse = _worse(candidate, live)
    return [*unfit(candidate, live), *([worse] if worse else [])]


def unfit(candidate: Examined, live: Examined) -> list[str]:
    """The same, however good it is.

    Another width of vectors is none of them: vectors of two models never meet.
    """
    found = []
    if candidate.model_version == live.model_version:
        found.append(f"{live.model_version} is live already")
    if live.embedding_width and candidate.embedding_width not in (0, live.embedding_width):
        found.append(
            f"it takes embeddings of {candidate.embedding_width} numbers, the catalogue has "
            f"those of {live.embedding_width}"
        )
    return found


def _worse(candidate: Examined, live: Examined) -> str:
    both = [part for part in _PARTS if part in candidate.figures and part in live.figures]
    if not both:
        return (
            f"{FIGURE} is not in both manifests, so that nothing tells whether it is worse; "
            "`--prepared FOLDER` measures both"
        )
    if candidate.split_sha256 != live.split_sha256:
        return (
            "its figures are of another split than the live model's, so that they cannot be "
            "compared; `--prepared FOLDER` measures both on one"
        )
    before, after = live.figures[both[0]], candidate.figures[both[0]]
    if after < before:
        return f"{both[0]} {FIGURE} is {after:.4f}, that of {live.model_version} is {before:.4f}"
    return ""


def _embedding_width(manifest: Manifest) -> int:
    """Of precomputed embeddings of items; 0: it takes none."""
    shape = manifest.graphs["item_encoder.onnx"].inputs.get("embedding", (0,))
    return int(shape[-1])
