"""How much of a busy machine a process gets beside others, and how that is taken back.

The kernel weighs threads by their nice value within a session and, where it groups sessions
(sched(7), "The autogroup feature"), each session by a nice value of its own. Which of the two
decides depends on how the machine was set up, so both are set. Whoever lowered a session may raise
it again. With threads one may not without a privilege (CAP_SYS_NICE, or RLIMIT_NICE of 20), and a
process that could not be raised again is not lowered: people are going to wait for it.
"""

import os
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path

MODEST = 5
"""A third of the weight of others (sched(7)): where they leave nothing, it still gets on."""
NORMAL = 0
_PROC = Path("/proc")
_CAP_SYS_NICE = 23  # linux/capability.h
_NICE_UP_TO_NORMAL = 20  # of RLIMIT_NICE: getrlimit(2)
# Without privilege the kernel takes ten changes of sessions a second, of all processes together.
_TRIES, _PAUSE_S = 20, 0.11


def prefer(pid: int, nice: int) -> None:
    """Makes the process, which leads a session, so much nicer than this one.

    Nothing happens where it is gone by now, or the system knows no such thing.
    """
    if sys.platform != "linux":
        return
    _prefer_session(pid, nice)
    if _may_raise():
        value = os.getpriority(os.PRIO_PROCESS, 0) + nice  # the kernel stops at 19
        # Twice: a thread that is made meanwhile has the value of the one that makes it.
        for _ in range(2):
            for thread in _threads(pid):
                with suppress(OSError):
                    os.setpriority(os.PRIO_PROCESS, thread, value)


def _prefer_session(pid: int, nice: int) -> None:
    for _ in range(_TRIES):
        try:
            (_PROC / str(pid) / "autogroup").write_text(str(nice), encoding="ascii")
        except BlockingIOError:
            time.sleep(_PAUSE_S)
        except OSError:
            return
        else:
            return


def _threads(pid: int) -> list[int]:
    try:
        return [int(one.name) for one in (_PROC / str(pid) / "task").iterdir()]
    except OSError:
        return []


def _may_raise() -> bool:
    soft, _ = resource.getrlimit(resource.RLIMIT_NICE)
    if soft == resource.RLIM_INFINITY or soft >= _NICE_UP_TO_NORMAL:
        return True
    lines = (_PROC / "self" / "status").read_text(encoding="ascii").splitlines()
    capabilities = next(int(line.split()[1], 16) for line in lines if line.startswith("CapEff:"))
    return bool(capabilities >> _CAP_SYS_NICE & 1)
