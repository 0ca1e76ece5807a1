"""What a folder of lists is made of. Kept in it, so that a run that was killed goes on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from headrace.batch.files import beside
from headrace.batch.people import PeopleStore
from headrace.batch.settings import BatchSettings
from headrace.errors import FailedPrecondition, InvalidInput

FILE = "plan.json"


@dataclass(frozen=True)
class Plan:
    """firsts: the first person of each part; a part ends before the next one's.

    users_sha256: of the sorted ids that were asked for; "": everybody, or who did something since
    `active_since`. kafka_topic: "": lists are written to files.
    """

    model_version: str
    format: str
    n: int
    candidates: int
    users_sha256: str
    firsts: tuple[str, ...]
    active_since: str = ""
    kafka_topic: str = ""

    def name(self, part: int) -> str:
        """Of its file; of the topic where there is none."""
        return self.kafka_topic or f"part-{part:05d}.{self.format}"


def agreed(
    settings: BatchSettings, model_version: str, store: PeopleStore, asked: Sequence[str] | None
) -> Plan:
    """The folder's plan; made where the folder is empty.

    Raises: FailedPrecondition where the folder holds something else; OSError where it cannot be
    written.
    """
    settings.out.mkdir(parents=True, exist_ok=True)
    path = settings.out / FILE
    if not path.exists():
        others = any(not one.name.startswith(".") for one in settings.out.iterdir())
        if others and not path.exists():  # another run may have made it just now
            raise FailedPrecondition(
                f"{settings.out}: holds files and no {FILE}; choose an empty folder"
            )
        _propose(path, _made(settings, model_version, store, asked))
    plan = plan_in(settings.out)
    mine = {
        "model_version": model_version,
        "format": settings.format,
        "n": settings.n,
        "candidates": settings.candidates,
        "users_sha256": _digest(asked),
        "active_since": _moment(settings),
        "kafka_topic": settings.kafka_topic,
    }
    for field, value in mine.items():
        if (theirs := getattr(plan, field)) != value:
            raise FailedPrecondition(
                f"{path}: {field} is {theirs!r}, this run has {value!r}; choose another folder"
            )
    return plan


def plan_in(out: Path) -> Plan:
    """Raises: FailedPrecondition where its file is no plan; OSError where there is none."""
    path = out / FILE
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return Plan(**{**raw, "firsts": tuple(raw["firsts"])})
    except (ValueError, TypeError, KeyError) as error:
        raise FailedPrecondition(f"{path}: is no plan of lists: {error!r}") from error


def ids_in(path: Path) -> list[str]:
    """Sorted, each once. Raises: InvalidInput where there are none, or the file is no text."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput.of("users", f"{path} must be UTF-8 text: {error}") from error
    if "\0" in text:
        raise InvalidInput.of("users", f"{path} must be text, it holds a NUL")
    ids = sorted({line.strip() for line in text.splitlines()} - {""})
    if not ids:
        raise InvalidInput.of("users", f"{path} must hold an id a line; it has none")
    return ids


def _made(
    settings: BatchSettings, model_version: str, store: PeopleStore, asked: Sequence[str] | None
) -> Plan:
    size = settings.part_users
    firsts = store.firsts(size) if asked is None else asked[::size]
    return Plan(
        model_version,
        settings.format,
        settings.n,
        settings.candidates,
        _digest(asked),
        tuple(firsts),
        _moment(settings),
        settings.kafka_topic,
    )


def _propose(path: Path, plan: Plan) -> None:
    """The first of several runs wins."""
    fresh = beside(path)
    fresh.write_text(json.dumps(asdict(plan), ensure_ascii=False), encoding="utf-8")
    try:
        os.link(fresh, path)
    except FileExistsError:
        return
    finally:
        fresh.unlink()


def _moment(settings: BatchSettings) -> str:
    return "" if settings.active_since is None else settings.active_since.isoformat()


def _digest(asked: Sequence[str] | None) -> str:
    return "" if asked is None else hashlib.sha256("\n".join(asked).encode()).hexdigest()
