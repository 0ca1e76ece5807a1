"""Resident memory of everything that `make run` started: `python -m bench.memory`.

RSS counts shared pages once a process; PSS shares them out. Postgres' processes share their
buffers, so PSS is the figure to compare with a limit.
"""

import psutil

from bench.report import print_table
from bench.target import running_target

_MIB = 2**20


def rows() -> list[list[object]]:
    """Name, RSS and PSS in MiB of the supervisor and everything below it, largest first."""
    found = []
    for supervisor in psutil.process_iter(["cmdline"]):
        if "headrace.local.run" not in (supervisor.info["cmdline"] or []):
            continue
        for process in [supervisor, *supervisor.children(recursive=True)]:
            memory = process.memory_full_info()
            found.append([name_of(process), memory.rss / _MIB, memory.pss / _MIB])
    return sorted(found, key=lambda row: -float(str(row[1])))


def name_of(process: psutil.Process) -> str:
    """What a process is to Headrace."""
    command = process.cmdline()
    for word in command:
        if word.startswith(("services.", "headrace.")):
            return word
    return "kafka" if "kafka.Kafka" in command else process.name()


def main() -> None:
    with running_target():
        found = rows()
    total = ["total", sum(float(str(r[1])) for r in found), sum(float(str(r[2])) for r in found)]
    print_table("Resident memory, MiB", ["process", "RSS", "PSS"], [*found, total])


if __name__ == "__main__":
    main()
