from pathlib import Path

import pytest

from headrace.bundle import Bundle
from headrace.evaluation.baselines.base import Baseline
from headrace.evaluation.baselines.neural.learning import Effort
from headrace.evaluation.baselines.popularity import MostPopular
from headrace.evaluation.baselines.registry import MOST_POPULAR, SIMPLE
from headrace.evaluation.compare import HEADRACE, RETRIEVAL, Comparison, compare
from headrace.evaluation.report.tables import tables
from headrace.evaluation.report.write import write_report
from tests.unit.evaluation.toy import bundle_of, toy_log

LOG = toy_log(people=40)
SOME = {name: SIMPLE[name] for name in (MOST_POPULAR, "content-based", "item-based CF")}


@pytest.fixture(scope="module")
def found(toy_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = bundle_of(toy_bundle, tmp_path_factory.mktemp("compare") / "bundle", LOG)
    return compare(LOG, Bundle.load(str(folder)), seconds=10, seed=0, baselines=SOME)


def test_the_bundle_and_every_baseline_have_a_row_best_first(found: Comparison) -> None:
    assert {row.name for row in found.rows} == {HEADRACE, RETRIEVAL, *SOME}
    means = [row.test.intervals["NDCG@10"].mean for row in found.rows]
    assert means == sorted(means, reverse=True)


def test_people_who_keep_to_a_category_are_served_better_than_by_popularity(
    found: Comparison,
) -> None:
    assert found.reference == HEADRACE
    assert found.difference(found.row(MOST_POPULAR)).verdict == "worse"
    assert found.difference(found.row(HEADRACE)).verdict == "within noise"


def test_a_better_rank_is_a_better_auc(found: Comparison) -> None:
    content, popular = (found.row(name).test for name in ("content-based", MOST_POPULAR))
    assert content.intervals["AUC"].mean > popular.intervals["AUC"].mean
    assert "AUC" not in found.row(HEADRACE).test.intervals


def test_without_a_bundle_the_best_on_validation_is_the_reference() -> None:
    found = compare(LOG, None, seconds=10, seed=0, baselines=SOME)
    best = max(found.rows, key=lambda row: row.validation.intervals["NDCG@10"].mean)
    assert found.reference == best.name


def test_what_time_is_left_is_shared_among_those_to_come() -> None:
    given: list[float] = []

    def make(effort: Effort) -> Baseline:
        given.append(effort.seconds)
        return MostPopular()

    compare(LOG, None, seconds=4_000, seed=0, baselines={"a": make, "b": make})
    assert given == [pytest.approx(2_000, rel=0.1), pytest.approx(4_000, rel=0.1)]


def test_what_cannot_learn_from_so_little_is_left_out_with_the_reason(tmp_path: Path) -> None:
    alone = toy_log(people=1)
    found = compare(alone, None, seconds=10, seed=0, baselines=SIMPLE)
    assert found.left_out.keys() == {"SVD", "PCA", "logistic regression"}
    assert len(found.rows) == len(SIMPLE) - 3
    text = write_report(found, tmp_path, [])[0].read_text(encoding="utf-8")
    assert "Left out: SVD (factors need two people and two items at least)." in text


def test_the_report_is_one_page_that_needs_nothing_else(found: Comparison, tmp_path: Path) -> None:
    markdown, page = write_report(found, tmp_path / "out", ["Data: <toy>."])
    text, html = markdown.read_text(encoding="utf-8"), page.read_text(encoding="utf-8")
    for row in found.rows:
        assert f"| {row.name} |" in text
        assert f"<td>{row.name}</td>" in html
    assert str(found.row(HEADRACE).test.intervals["HR@10"]) in text
    assert html.count("<svg") == 2
    assert "Data: &lt;toy&gt;." in html
    assert "src=" not in html
    assert "<link" not in html


def test_every_row_of_a_table_has_a_cell_for_each_column(found: Comparison) -> None:
    for table in tables(found):
        assert len(table.rows) == len(found.rows)
        assert {len(row) for row in table.rows} == {len(table.columns)}
