"""What a system has used since it began: CPU by process, bytes by table and by topic."""

import re
import time
from collections import Counter
from typing import NamedTuple, Self

import psutil

from headrace.local.system import SERVICES, LocalSystem
from headrace.store.database import Database

_PROCESSES = (*SERVICES, "kafka", "postgres")
_SIZES = """
    SELECT c.relname, pg_total_relation_size(c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'm')
"""


class Used(NamedTuple):
    """CPU seconds by process, bytes by table and by topic. `MODEL` stands for its version."""

    seconds: float
    cpu: Counter[str]
    tables: Counter[str]
    topics: Counter[str]

    def since(self, before: Self) -> "Used":
        found = [Counter(now) for now in self[1:]]
        for then, now in zip(before[1:], found, strict=True):
            now.subtract(then)
        return Used(self.seconds - before.seconds, *found)

    def plus(self, other: Self) -> "Used":
        found = [Counter(mine) for mine in self[1:]]
        for mine, theirs in zip(found, other[1:], strict=True):
            mine.update(theirs)
        return Used(self.seconds + other.seconds, *found)

    def beyond(self, rest: "Used") -> "Used":
        """Without the CPU that was used at rest, for as long."""
        cpu = Counter(self.cpu)
        cpu.subtract({name: used * self.seconds / rest.seconds for name, used in rest.cpu.items()})
        return self._replace(cpu=cpu)


def used(system: LocalSystem, database: Database) -> Used:
    with database.transaction() as cursor:
        cursor.execute(_SIZES)
        tables = Counter({name: int(size) for name, size in cursor.fetchall()})
    cpu = Counter({name: _cpu_s(system.pid(name)) for name in _PROCESSES})
    return Used(time.monotonic(), cpu, tables, _topics(system))


def resident_mib(system: LocalSystem) -> dict[str, float]:
    """By service."""
    return {name: psutil.Process(system.pid(name)).memory_info().rss / 2**20 for name in SERVICES}


def _topics(system: LocalSystem) -> Counter[str]:
    """Records alone: an index is some pages a segment."""
    sizes: Counter[str] = Counter()
    for log in (system.home / "kafka" / "data").glob("*-*/*.log"):
        topic = re.sub(r"-\d+$", "", log.parent.name)
        if not topic.startswith("__"):
            sizes[topic.replace(system.model_version, "MODEL")] += log.stat().st_size
    return sizes


def _cpu_s(pid: int | None) -> float:
    """Of a process and those below it; those that ended count in whoever started them."""
    process, seconds = psutil.Process(pid), 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        seconds += times.user + times.system
        if one == process:
            seconds += times.children_user + times.children_system
    return seconds
