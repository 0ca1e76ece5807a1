"""`headrace backup`: what cannot be made anew, to a folder, while services go on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from headrace.backup.backup import back_up
from headrace.runtime.settings import DatabaseSettings, KafkaSettings, load_settings


@dataclass(frozen=True, kw_only=True)
class BackupSettings(DatabaseSettings, KafkaSettings):
    """Read from `HEADRACE_*`."""


def main(arguments: Sequence[str]) -> int:
    """Raises: InvalidInput, SettingsInvalid, Unavailable."""
    given = _parser().parse_args(arguments)
    settings = load_settings(BackupSettings)
    manifest = back_up(settings.database_url, settings.kafka(), given.out, given.programs)
    for topic, records in manifest["records"].items():
        sys.stderr.write(f"{topic}: {records:,} records\n")
    sys.stderr.write(f"{given.out} has Postgres and topics as of {manifest['at']}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headrace backup",
        description=f"{__doc__} HEADRACE_DATABASE_URL and HEADRACE_KAFKA_BOOTSTRAP_SERVERS name "
        "the stores.",
    )
    parser.add_argument("--out", required=True, type=Path, help="a folder that is not there yet")
    parser.add_argument("--programs", type=Path, help="folder of pg_dump; else PATH has it")
    return parser
