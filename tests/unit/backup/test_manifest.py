"""A backup is restored only as a whole, and only as it was made."""

import hashlib
import json
from pathlib import Path

import pytest

from headrace.backup.backup import read_manifest
from headrace.errors import FailedPrecondition


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    content = b"all of it"
    (tmp_path / "postgres.dump").write_bytes(content)
    manifest = {"sha256": {"postgres.dump": hashlib.sha256(content).hexdigest()}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def test_what_was_made_is_read(backup: Path) -> None:
    assert read_manifest(backup)["sha256"].keys() == {"postgres.dump"}


def test_one_that_was_cut_off_is_refused(backup: Path) -> None:
    (backup / "manifest.json").unlink()
    with pytest.raises(FailedPrecondition, match="was cut off"):
        read_manifest(backup)


@pytest.mark.parametrize("content", [b"all of iT", b"all", None])
def test_one_with_another_file_is_refused(backup: Path, content: bytes | None) -> None:
    dump = backup / "postgres.dump"
    dump.unlink()
    if content is not None:
        dump.write_bytes(content)
    with pytest.raises(FailedPrecondition, match="not the file that was backed up"):
        read_manifest(backup)
