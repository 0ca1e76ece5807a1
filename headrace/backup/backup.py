"""A backup is a folder: a dump of Postgres, a file a topic, and a manifest with hashes."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headrace.backup import postgres, topics
from headrace.errors import FailedPrecondition, InvalidInput
from headrace.runtime.kafka_client import Kafka

_MANIFEST = "manifest.json"
_DUMP = "postgres.dump"
_TOPICS = "topics"


def back_up(dsn: str, kafka: Kafka, out: Path, programs: Path | None) -> dict[str, Any]:
    """While services go on. Its moment is the one when the topics are read.

    Topics come first: an event that reaches Postgres in between is in both then, and counts once.
    Returns: the manifest. Raises: InvalidInput where `out` is there already; Unavailable.
    """
    if out.exists():
        raise InvalidInput.of("--out", f"{out} is there already; each backup has its own folder")
    at = datetime.now(UTC)
    records = topics.save(kafka, out / _TOPICS)
    postgres.dump(dsn, out / _DUMP, programs)
    manifest = {
        "at": at.isoformat(timespec="seconds"),
        "records": records,
        "sha256": {
            str(file.relative_to(out)): _sha256(file)
            for file in sorted(out.rglob("*"))
            if file.is_file()
        },
    }
    # Comes last: a backup without it was cut off.
    (out / _MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def read_manifest(folder: Path) -> dict[str, Any]:
    """Raises: FailedPrecondition where the backup is not whole, or a file is another."""
    path = folder / _MANIFEST
    if not path.exists():
        raise FailedPrecondition(f"{folder} has no {_MANIFEST}: it is no backup, or was cut off")
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for name, sha256 in manifest["sha256"].items():
        file = folder / name
        if not file.exists() or _sha256(file) != sha256:
            raise FailedPrecondition(f"{file} is not the file that was backed up")
    return manifest


def restore_postgres(dsn: str, folder: Path, programs: Path | None) -> None:
    """Into a database without tables. Raises: FailedPrecondition, Unavailable."""
    postgres.require_empty(dsn)
    postgres.load(dsn, folder / _DUMP, programs)
    postgres.publish_anew(dsn)


def restore_topics(kafka: Kafka, folder: Path, mark: str) -> dict[str, int]:
    """Into topics that exist. Returns: records by topic. Raises: Unavailable."""
    return topics.load(kafka, folder / _TOPICS, mark)


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
