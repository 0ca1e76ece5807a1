"""What a system keeps in its folder besides the data of its processes."""

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

from headrace.errors import SettingsInvalid


def home_folder() -> Path:
    """HEADRACE_HOME, else `.headrace` in the working directory. Created if absent.

    Raises: SettingsInvalid where there can be no such folder.
    """
    folder = Path(os.environ.get("HEADRACE_HOME") or ".headrace").expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsInvalid(
            f"HEADRACE_HOME={folder}: must be a folder that can be made: {error.strerror}"
        ) from error
    return folder


def api_key(home: Path) -> str:
    """The key in `api_key`, made at the first call; only the owner can read the file."""
    return _secret(home, "api_key", "hr_")


def token_secret(home: Path) -> str:
    """What access tokens are signed with, in `token_secret`; as `api_key`."""
    return _secret(home, "token_secret", "")


def _secret(home: Path, name: str, prefix: str) -> str:
    path = home / name
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        # Moved into place once it is whole: an empty key would keep the gateway from starting.
        scratch = home / f"{name}.new"
        scratch.touch(mode=0o600)
        scratch.write_text(f"{prefix}{secrets.token_urlsafe(32)}\n", encoding="utf-8")
        scratch.replace(path)
    return path.read_text(encoding="utf-8").strip()


def demo_newest(home: Path) -> datetime:
    """When the demo's newest rating happens: the time of the first call, kept.

    An interrupted import that is tried again must send the same events.
    """
    path = home / "demo_newest"
    if not path.exists():
        path.write_text(datetime.now(UTC).isoformat(timespec="seconds"), encoding="utf-8")
    return datetime.fromisoformat(path.read_text(encoding="utf-8"))
