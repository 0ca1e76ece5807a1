from pathlib import Path

import pytest

from headrace.errors import SettingsInvalid
from headrace.local.home import api_key, demo_newest, home_folder


def test_a_home_that_is_no_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("HEADRACE_HOME", str(file))
    with pytest.raises(SettingsInvalid, match=r"^HEADRACE_HOME=.*must be a folder"):
        home_folder()


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    key = api_key(tmp_path)
    assert key.startswith("hr_")
    assert len(key) >= 32
    assert api_key(tmp_path) == key
    assert (tmp_path / "api_key").stat().st_mode & 0o077 == 0


def test_an_import_that_is_tried_again_has_the_same_dates(tmp_path: Path) -> None:
    first = demo_newest(tmp_path)
    assert first.tzinfo is not None
    assert demo_newest(tmp_path) == first
