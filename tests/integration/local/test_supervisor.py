"""The supervisor keeps processes running, and leaves none behind."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import psutil
import pytest

from headrace.local.errors import LocalError, StartFailed
from headrace.local.ports import free_ports
from headrace.local.priority import MODEST, NORMAL
from headrace.local.rates import RateMeter
from headrace.local.service import Service
from headrace.local.supervised import Backoff, State
from headrace.local.supervisor import Supervisor
from headrace.local.waiting import wait_until

STAND_IN = Path(__file__).with_name("stand_in.py")


class ImpatientService(Service):
    stop_seconds: ClassVar[float] = 0.5


def stand_in(folder: Path, name: str, behaviour: str = "well", *more: str) -> Service:
    (port,) = free_ports(1)
    return ImpatientService(
        name,
        [sys.executable, str(STAND_IN), str(port), behaviour, *more],
        port=port,
        metrics_port=port,
        env=dict(os.environ),
        log_file=folder / f"{name}.log",
    )


def state_of(supervisor: Supervisor, name: str) -> State:
    return next(part.state for part in supervisor.status() if part.name == name)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    parts = [stand_in(tmp_path, "first"), stand_in(tmp_path, "second")]
    supervisor = Supervisor(parts, Backoff(first_s=0.05, longest_s=0.2))
    supervisor.start()
    yield supervisor
    supervisor.stop()


def test_start_returns_when_all_are_ready(supervisor: Supervisor) -> None:
    assert [part.state for part in supervisor.status()] == [State.READY, State.READY]


def test_what_dies_is_started_again(supervisor: Supervisor) -> None:
    pid = supervisor.pid("first")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: supervisor.pid("first") not in (None, pid), seconds=10)
    assert supervisor.wait_ready(seconds=10)
    assert [part.restarts for part in supervisor.status()] == [1, 0]


def test_what_was_killed_on_purpose_stays_down_until_started(supervisor: Supervisor) -> None:
    supervisor.kill("first")
    assert state_of(supervisor, "first") is State.STOPPED
    assert supervisor.pid("first") is None
    supervisor.start(["first"])
    assert supervisor.wait_ready(seconds=10)
    assert [part.restarts for part in supervisor.status()] == [0, 0]


def test_terminate_lets_a_process_end_by_itself(supervisor: Supervisor) -> None:
    assert supervisor.terminate("second") == 0


def test_stop_ends_everything(supervisor: Supervisor) -> None:
    pids = [supervisor.pid(name) for name in ("first", "second")]
    supervisor.stop()
    assert not any(psutil.pid_exists(pid) for pid in pids if pid is not None)


def test_a_process_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    supervisor = Supervisor([stand_in(tmp_path, "deaf", "ignores-sigterm")])
    supervisor.start()
    assert supervisor.terminate("deaf") == -signal.SIGKILL


def test_one_that_ends_before_it_was_ready_is_reported_with_its_last_words(tmp_path: Path) -> None:
    supervisor = Supervisor([stand_in(tmp_path, "broken", "refuses-to-start")])
    with pytest.raises(StartFailed, match=r"broken ended with code 1(.|\n)*must be a number"):
        supervisor.start()
    supervisor.stop()


def test_one_that_cannot_do_its_work_for_a_while_is_shown_so(tmp_path: Path) -> None:
    away = tmp_path / "away"
    part = stand_in(tmp_path, "moody", "well", str(away))
    supervisor = Supervisor([part])
    supervisor.start()
    away.touch()
    assert wait_until(lambda: state_of(supervisor, "moody") is State.NOT_READY, seconds=10)
    away.unlink()
    assert supervisor.wait_ready(seconds=10)
    supervisor.stop()


def test_an_unknown_name_is_answered_with_the_known_ones(supervisor: Supervisor) -> None:
    with pytest.raises(LocalError, match="first, second"):
        supervisor.kill("third")


def test_rates_are_zero_at_first_and_where_nobody_answers(supervisor: Supervisor) -> None:
    port = supervisor.status()[0].metrics_port
    assert port is not None
    meter = RateMeter()
    assert meter.read(port).events == 0
    assert meter.read(port).events == 0  # the counter stood still
    supervisor.kill("first")
    assert meter.read(port).events == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent")
def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    program = f"""
        import sys, time
        from pathlib import Path
        from tests.integration.local.test_supervisor import stand_in
        from headrace.local.supervisor import Supervisor
        supervisor = Supervisor([stand_in(Path({str(tmp_path)!r}), "orphan")])
        supervisor.start()
        print(supervisor.pid("orphan"), flush=True)
        time.sleep(60)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    ) as parent:
        assert parent.stdout is not None
        orphan = int(parent.stdout.readline())
        parent.kill()
    assert wait_until(lambda: not psutil.pid_exists(orphan), seconds=10)


def niceness(supervisor: Supervisor, name: str) -> tuple[int, set[int]]:
    """Of its session and of its threads."""
    pid = supervisor.pid(name)
    assert pid is not None
    session = (Path("/proc") / str(pid) / "autogroup").read_text(encoding="ascii")
    threads = psutil.Process(pid).threads()
    return int(session.split()[-1]), {os.getpriority(os.PRIO_PROCESS, one.id) for one in threads}


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="of Linux with autogroups")
def test_a_part_gives_way_from_its_launch_until_it_is_raised_also_after_a_crash(
    supervisor: Supervisor,
) -> None:
    usual = niceness(supervisor, "second")
    supervisor.prefer("first", MODEST)
    lowered = niceness(supervisor, "first")
    assert lowered[0] == MODEST
    pid = supervisor.pid("first")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: supervisor.pid("first") not in (None, pid), seconds=10)
    assert supervisor.wait_ready(seconds=10)
    assert niceness(supervisor, "first") == lowered
    supervisor.prefer("first", NORMAL)
    assert niceness(supervisor, "first") == niceness(supervisor, "second") == usual
