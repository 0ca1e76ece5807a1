"""`headrace bundle show DIR`: what a bundle is, after checking its files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

from headrace.bundle import Bundle, Manifest


def main(arguments: Sequence[str]) -> int:
    """Raises: BundleInvalid."""
    given = _parser().parse_args(arguments)
    manifest = Bundle.load(given.bundle).manifest
    sys.stdout.writelines(f"{line}\n" for line in _lines(manifest))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="headrace bundle", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    show = actions.add_parser("show", help="check a bundle and print its manifest")
    show.add_argument("bundle", help="folder or URL of the bundle")
    return parser


def _lines(manifest: Manifest) -> Iterator[str]:
    yield f"version   {manifest.model_version} of {manifest.created_at}"
    yield f"tower     {manifest.tower}, state of {manifest.state_width}"
    yield f"vectors   of {manifest.width}"
    yield f"ranking   {manifest.ranking}"
    yield f"items     {manifest.items}"
    yield f"data      {manifest.data_sha256[:12]}, split {manifest.split_sha256[:12]}"
    yield f"size      {sum(entry.size for entry in manifest.files.values()) / 1e6:.1f} MB"
    for name, value in sorted(manifest.metrics.items()):
        yield f"metric    {name} {value:.4f}"
    for name, setting in sorted(manifest.training.items()):
        yield f"training  {name} {setting}"
