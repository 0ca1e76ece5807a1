import dataclasses
from pathlib import Path

import numpy as np
import pytest

from headrace.errors import DataInvalid
from headrace.evaluation.evaluate import leave_one_out
from headrace.evaluation.results import Answers, Fit, Result, Results
from headrace.training.log import EventLog
from tests.unit.evaluation.toy import toy_log

LOG = toy_log()
WHOLE = Answers(np.array([1, 2]), np.array([[3, -1], [4, 5]]), np.array([9, 9]), np.array([1, 1]))
SERVED = Answers(np.array([3, 4]), np.array([[0, 1], [1, 2]]))
RESULT = Result(Fit(1 / 3, 60.0, True, "Ease(penalty=50.0)"), WHOLE, SERVED, sampled=99)


def results(folder: Path | None, log: EventLog = LOG, seed: int = 0) -> Results:
    return Results(folder, log, leave_one_out(log), seed)


def test_what_is_kept_comes_back_as_it_was(tmp_path: Path) -> None:
    results(tmp_path).keep("EASE", "settings", RESULT)
    found = results(tmp_path).get("EASE", "settings")
    assert found is not None
    assert (found.fit, found.sampled) == (RESULT.fit, 99)
    assert found.test.shown is None
    assert found.test.sampled is None
    for key, array in vars(WHOLE).items():
        np.testing.assert_array_equal(getattr(found.validation, key), array)


def test_other_settings_seeds_and_data_are_other_results(tmp_path: Path) -> None:
    results(tmp_path).keep("EASE", "settings", RESULT)
    ratings = np.where(np.arange(len(LOG.items)) == 3, 5.0, LOG.ratings).astype(np.float32)
    retitled = dataclasses.replace(LOG.catalogue[0], title="another")
    for other in (
        results(tmp_path).get("EASE", "others"),
        results(tmp_path).get("SVD", "settings"),
        results(tmp_path, seed=1).get("EASE", "settings"),
        results(tmp_path, toy_log(seed=1)).get("EASE", "settings"),
        results(tmp_path, dataclasses.replace(LOG, ratings=ratings)).get("EASE", "settings"),
        results(tmp_path, dataclasses.replace(LOG, catalogue=(retitled, *LOG.catalogue[1:]))).get(
            "EASE", "settings"
        ),
    ):
        assert other is None


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    results(tmp_path).keep("EASE", "settings", RESULT)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataInvalid, match=r"ease-.*\.npz: is damaged; delete it"):
        results(tmp_path).get("EASE", "settings")


def test_without_a_folder_nothing_is_kept() -> None:
    results(None).keep("EASE", "settings", RESULT)
    assert results(None).get("EASE", "settings") is None
