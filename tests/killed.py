"""Killing a process in the middle of its work."""

import signal
import subprocess
from collections.abc import Callable

from headrace.local.waiting import wait_until


def kill_once(
    reached: Callable[[], bool], victim: "subprocess.Popen[bytes]", seconds: float
) -> None:
    """SIGKILL as soon as `reached()`; fails where the process ends before, or takes longer."""
    wait_until(lambda: reached() or victim.poll() is not None, seconds, every_seconds=0.001)
    assert victim.poll() is None
    assert reached()
    victim.kill()
    assert victim.wait() == -signal.SIGKILL
