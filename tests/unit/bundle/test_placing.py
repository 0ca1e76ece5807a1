"""A folder takes the place of another one, whatever happens on the way."""

import errno
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.bundle.placing import exchange, put_back, put_in_place

_KILLED = """
import errno, os, signal, sys
from pathlib import Path
from headrace.bundle.placing import exchange, put_in_place

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def and_die(*paths):
    exchange(*paths)
    die()

def cannot(*_):
    rename = Path.rename

    def once(path, target):
        rename(path, target)
        Path.rename = die

    Path.rename = once
    raise OSError(errno.EINVAL, "cannot")

put_in_place(Path(sys.argv[1]), Path(sys.argv[2]), locals()[sys.argv[3]])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return holding(tmp_path / "bundle", "old")


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    return holding(tmp_path / "fresh", "new")


def holding(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "said").write_text(text)
    return folder


def said(folder: Path) -> str:
    return (folder / "said").read_text()


def cannot(_one: Path, _other: Path) -> None:
    raise OSError(errno.EINVAL, "this file system cannot")


def test_two_folders_are_exchanged_at_once(folder: Path, fresh: Path) -> None:
    exchange(fresh, folder)
    assert (said(folder), said(fresh)) == ("new", "old")
    with pytest.raises(FileNotFoundError):
        exchange(fresh, folder / "nothing")


@pytest.mark.parametrize("swap", [exchange, cannot])
def test_the_new_one_is_in_its_place_and_nothing_is_left(
    folder: Path, fresh: Path, swap: object
) -> None:
    put_in_place(fresh, folder, swap)  # type: ignore[arg-type]
    assert said(folder) == "new"
    assert [path.name for path in folder.parent.iterdir()] == ["bundle"]


@pytest.mark.parametrize(("at", "left"), [("die", "old"), ("and_die", "new")])
def test_a_process_that_is_killed_at_the_exchange_leaves_one_of_the_two(
    folder: Path, fresh: Path, at: str, left: str
) -> None:
    killed(fresh, folder, at)
    assert said(folder) == left


def test_what_was_killed_between_two_renames_is_put_back(folder: Path, fresh: Path) -> None:
    killed(fresh, folder, "cannot")
    assert not folder.exists()
    put_back(folder)
    assert said(folder) == "old"
    put_in_place(fresh, folder, cannot)
    assert said(folder) == "new"


def test_what_was_killed_before_the_old_one_was_deleted_stays_new(tmp_path: Path) -> None:
    folder = holding(tmp_path / "bundle", "new")
    holding(tmp_path / ".bundle.before", "old")
    put_back(folder)
    assert said(folder) == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def killed(fresh: Path, folder: Path, at: str) -> None:
    command = [sys.executable, "-c", _KILLED, str(fresh), str(folder), at]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
