"""Where candidates and reports go: a folder at any fsspec URL, a folder of its own for each."""

from __future__ import annotations

from pathlib import Path

import fsspec

from headrace.errors import Unavailable


def put(local: Path, place: str, name: str) -> str:
    """Copies a folder to `place` under that name; returns its URL.

    Raises: Unavailable where it cannot be written.
    """
    url = f"{place.rstrip('/')}/{name}"
    files, root = fsspec.core.url_to_fs(url)
    try:
        files.makedirs(root, exist_ok=True)
        for path in sorted(local.iterdir()):
            files.put_file(str(path), f"{root.rstrip('/')}/{path.name}")
    except OSError as error:
        raise Unavailable(f"{url}: cannot be written: {error}") from error
    return url
