from pathlib import Path

import pytest

from tests.unit.training.preparation.files import Prepared


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    return Prepared(tmp_path)
