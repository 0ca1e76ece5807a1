"""What a folder of lists is made of. Kept in it, so that a run that was killed goes on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from headrace.batch.files import beside
from headrace.batch.people import PeopleStore
from headrace.batch.settings import BatchSettings
from headrace.contracts.segments import SegmentName
from headrace.errors import FailedPrecondition, InvalidInput

FILE = "plan.json"

Members = Callable[[SegmentName], Sequence[str]]


@dataclass(frozen=True)
class Plan:
    """firsts: the first person of each part; a part ends before the next one's.

    users_sha256: of the sorted ids that were asked for; "": everybody, or who did something since
    `active_since`, or the members of `segment`, sorted: they are kept, as later runs would count
    others. kafka_topic: "": lists are written to files.
    """

    model_version: str
    format: str
    n: int
    candidates: int
    users_sha256: str
    active_since: str
    segment: SegmentName | None
    general: bool
    kafka_topic: str
    firsts: tuple[str, ...]
    members: tuple[str, ...]

    def name(self, part: int) -> str:
        """Of its file; of the topic where there is none."""
        return self.kafka_topic or f"part-{part:05d}.{self.format}"


def agreed(
    settings: BatchSettings,
    model_version: str,
    store: PeopleStore,
    asked: Sequence[str] | None,
    members: Members,
) -> Plan:
    """The folder's plan; made where the folder is empty. members: of a segment, sorted.

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
        _propose(path, _made(settings, model_version, store, asked, members))
    plan = plan_in(settings.out)
    mine = {
        "model_version": model_version,
        "format": settings.format,
        "n": settings.n,
        "candidates": settings.candidates,
        "users_sha256": _digest(asked),
        "active_since": _moment(settings),
        "segment": settings.segment,
        "general": settings.general,
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
        ids = {field: tuple(raw[field]) for field in ("firsts", "members")}
        return Plan(**{**raw, **ids})
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
    settings: BatchSettings,
    model_version: str,
    store: PeopleStore,
    asked: Sequence[str] | None,
    members: Members,
) -> Plan:
    size = settings.part_users
    in_segment = () if settings.segment is None else tuple(members(settings.segment))
    named = asked if settings.segment is None else in_segment
    firsts = store.firsts(size) if named is None else named[::size]
    return Plan(
        model_version=model_version,
        format=settings.format,
        n=settings.n,
        candidates=settings.candidates,
        users_sha256=_digest(asked),
        active_since=_moment(settings),
        segment=settings.segment,
        general=settings.general,
        kafka_topic=settings.kafka_topic,
        firsts=tuple(firsts),
        members=in_segment,
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
