"""Start a command that dies with its parent: `python launch.py PARENT SIGNAL USER COMMAND…`.

This file runs as a script between fork and exec, so that the parent, which has threads, need
not run Python code of its own there. It imports nothing of Headrace and takes about 15 ms.

On Linux the kernel sends SIGNAL to the command when the *thread* that started it ends, even by
SIGKILL (PR_SET_PDEATHSIG); elsewhere the command simply runs. USER is a user name to become,
or `-` to stay.
"""

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def become(user: str) -> None:
    """Give up root for `user` in every respect."""
    entry = pwd.getpwnam(user)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ.update(HOME=entry.pw_dir, USER=user)


def die_with(parent: int, signal_number: int) -> None:
    """Ask the kernel for `signal_number` when the parent is gone; exit if it is gone already."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        sys.exit(1)


def main() -> None:
    parent, signal_number, user, *command = sys.argv[1:]
    if user != "-":
        become(user)
    # A change of user clears the wish, so it comes second.
    die_with(int(parent), int(signal_number))
    os.execv(command[0], command)  # noqa: S606 - replacing this process is what it is for


if __name__ == "__main__":
    main()
