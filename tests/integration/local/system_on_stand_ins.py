"""`make run` with stand-ins for the services: `system_on_stand_ins.py HOME BUNDLE`."""

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from headrace.local.ports import Ports
from headrace.local.run import Run, drive

STAND_IN = Path(__file__).with_name("stand_in.py")


def stand_ins(ports: Ports) -> Callable[[str], Sequence[str]]:
    def command_of(name: str) -> list[str]:
        return [sys.executable, str(STAND_IN), str(getattr(ports, f"{name}_metrics")), "well"]

    return command_of


def main() -> int:
    home, ports, console = Path(sys.argv[1]), Ports.free(), Console()
    # A bundle that can be used is not trained again.
    shutil.copytree(sys.argv[2], home / "bundles" / "demo", dirs_exist_ok=True)
    return drive(Run(home, ports, console, demo=False, command_of=stand_ins(ports)), console)


if __name__ == "__main__":
    sys.exit(main())
