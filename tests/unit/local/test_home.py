from pathlib import Path

from headrace.local.home import api_key, demo_newest


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
