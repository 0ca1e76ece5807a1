"""Reading a bundle's files from any fsspec URL, each checked against the manifest."""

from __future__ import annotations

import hashlib
import io

import fsspec
import numpy as np
from numpy.typing import NDArray

from headrace.bundle.manifest import FILE, FileEntry, Manifest
from headrace.errors import BundleInvalid


def entry_of(content: bytes) -> FileEntry:
    """Size and digest of a file's content."""
    return FileEntry(len(content), hashlib.sha256(content).hexdigest())


class BundleFolder:
    """A folder at a URL such as `/srv/bundle`, `s3://bucket/bundle` or `memory://bundle`.

    Raises:
        BundleInvalid: the folder or its manifest is missing or broken.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._files, self._root = fsspec.core.url_to_fs(url)
        self.manifest_bytes = self._fetch(FILE)
        self.manifest = Manifest.from_json(self.manifest_bytes)

    def read(self, name: str) -> bytes:
        """One file, whole.

        Raises:
            BundleInvalid: the file is missing, or differs in size or sha256 from the manifest.
        """
        expected = self.manifest.files.get(name)
        if expected is None:
            raise BundleInvalid(f"{self.url}: {FILE} does not list {name}")
        content = self._fetch(name)
        actual = entry_of(content)
        if actual.size != expected.size:
            raise BundleInvalid(
                f"{self.url}: {name} has {actual.size} bytes, {FILE} says {expected.size}"
            )
        if actual.sha256 != expected.sha256:
            raise BundleInvalid(
                f"{self.url}: {name} has sha256 {actual.sha256}, {FILE} says {expected.sha256}"
            )
        return content

    def read_arrays(self, name: str) -> dict[str, NDArray[np.generic]]:
        """The arrays of an npz file, by name.

        Raises:
            BundleInvalid: as `read`, or the file is no npz.
        """
        content = self.read(name)
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                return {key: arrays[key] for key in arrays.files}
        except (ValueError, OSError, KeyError) as error:
            raise BundleInvalid(f"{self.url}: {name} is no npz file: {error}") from error

    def _fetch(self, name: str) -> bytes:
        try:
            content: bytes = self._files.cat_file(f"{self._root.rstrip('/')}/{name}")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise BundleInvalid(f"{self.url}: {name} is missing") from error
        return content
