import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from headrace.bundle import Bundle
from headrace.errors import DataInvalid
from headrace.evaluation.baselines.base import Baseline, Training
from headrace.evaluation.baselines.neural.learning import Effort
from headrace.evaluation.baselines.popularity import MostPopular
from headrace.evaluation.baselines.registry import MOST_POPULAR, SIMPLE, Make
from headrace.evaluation.compare import Comparison, compare
from headrace.evaluation.contenders import HEADRACE, RETRIEVAL
from headrace.evaluation.report.curve import Judgement
from headrace.evaluation.report.tables import tables
from headrace.evaluation.report.write import write_report
from headrace.evaluation.turns import Terms
from tests.unit.evaluation.toy import bundle_of, toy_log

LOG = toy_log(people=40)
SOME = {name: SIMPLE[name] for name in (MOST_POPULAR, "content-based", "item-based CF")}


@pytest.fixture(scope="module")
def found(toy_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = bundle_of(toy_bundle, tmp_path_factory.mktemp("compare") / "bundle", LOG)
    return compare(LOG, Bundle.load(str(folder)), Terms(10, sampled=20), baselines=SOME)


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
    found = compare(LOG, None, Terms(10), baselines=SOME)
    best = max(found.rows, key=lambda row: row.validation.intervals["NDCG@10"].mean)
    assert found.reference == best.name


@dataclass(eq=False)
class Slow(MostPopular):
    """Notes what time it is given, and that it was fitted; takes all of it where it says so."""

    given: list[float] = field(repr=False)
    effort: Effort
    whole: bool = field(default=False, repr=False)

    def fit(self, train: Training) -> None:
        super().fit(train)
        self.given.append(self.effort.seconds)
        end = time.monotonic() + (self.effort.seconds if self.whole else 0)
        while time.monotonic() < end:
            pass


def test_networks_share_what_time_is_left_whatever_the_order() -> None:
    given: list[float] = []
    of_each = {name: partial(Slow, given) for name in ("SASRec", MOST_POPULAR, "GRU4Rec")}
    compare(LOG, None, Terms(4_000), baselines=of_each)
    assert given == [pytest.approx(share, rel=0.1) for share in (2_000, 2_000, 4_000)]


def test_a_second_run_fits_nothing_and_reports_the_same(tmp_path: Path) -> None:
    given: list[float] = []
    baselines: dict[str, Make] = {**SOME, "SASRec": partial(Slow, given)}
    kept: list[bool] = []
    texts = []
    for _ in range(2):
        found = compare(
            LOG,
            None,
            Terms(10, results=tmp_path / "results", sampled=20),
            baselines=baselines,
            say=lambda row, at: kept.append(at.kept),
        )
        texts.append([path.read_text("utf-8") for path in write_report(found, tmp_path, [])])
    assert texts[0] == texts[1]
    assert kept == [False] * 4 + [True] * 4
    assert len(given) == 1


def test_a_run_that_was_killed_goes_on_with_the_model_that_it_was_at(tmp_path: Path) -> None:
    def killed(effort: Effort) -> Baseline:
        raise KeyboardInterrupt

    given: list[float] = []
    terms = Terms(10, results=tmp_path)
    first: dict[str, Make] = {MOST_POPULAR: partial(Slow, given)}
    with pytest.raises(KeyboardInterrupt):
        compare(LOG, None, terms, baselines={**first, "content-based": killed})
    some = {**first, "content-based": SIMPLE["content-based"]}
    resumed = compare(LOG, None, terms, baselines=some)
    assert len(given) == 1
    at_once = compare(LOG, None, Terms(10), baselines=some)
    for row in at_once.rows:
        assert row.test.intervals == resumed.row(row.name).test.intervals


def test_what_time_cut_short_is_made_anew_where_there_is_more_of_it(tmp_path: Path) -> None:
    given: list[float] = []
    whole = {"SASRec": partial(Slow, given, whole=True)}
    for seconds in (1.0, 1.0, 0.5, 1.01):
        found = compare(LOG, None, Terms(seconds, results=tmp_path), baselines=whole)
        assert found.row("SASRec").fit.cut_short
    assert given == [1.0, 1.01]


def test_ranks_among_drawn_items_are_made_where_a_known_result_lacks_them(tmp_path: Path) -> None:
    given: list[float] = []
    one = {MOST_POPULAR: partial(Slow, given)}
    for sampled in (0, 20, 0, 20, 10):
        terms = Terms(10, sampled=sampled, results=tmp_path)
        found = compare(LOG, None, terms, baselines=one)
        assert len(tables(found)) == (5 if sampled else 4)
    assert len(given) == 3


def test_what_cannot_learn_from_so_little_is_left_out_with_the_reason(tmp_path: Path) -> None:
    alone = toy_log(people=1)
    found = compare(alone, None, Terms(10), baselines=SIMPLE)
    assert found.left_out.keys() == {"SVD", "PCA", "logistic regression"}
    assert len(found.rows) == len(SIMPLE) - 3
    text = write_report(found, tmp_path, [])[0].read_text(encoding="utf-8")
    assert "Left out: SVD (factors need two people and two items at least)." in text


def test_where_no_model_can_learn_the_reasons_are_given() -> None:
    with pytest.raises(DataInvalid, match="nothing to compare: SVD: factors need two people"):
        compare(toy_log(people=1), None, Terms(10), baselines={"SVD": SIMPLE["SVD"]})


def test_the_report_is_one_page_that_needs_nothing_else(found: Comparison, tmp_path: Path) -> None:
    markdown, page = write_report(found, tmp_path / "out", ["Data: <toy>."])
    text, html = markdown.read_text(encoding="utf-8"), page.read_text(encoding="utf-8")
    for row in found.rows:
        assert f"| {row.name} |" in text
        assert f'<th scope="row">{row.name}</th>' in html
    assert str(found.row(HEADRACE).test.intervals["HR@10"]) in text
    assert html.count("<svg") == 2
    assert "](hr-at-10.svg)" in text
    assert (markdown.parent / "hr-at-10.svg").read_text("utf-8").startswith("<svg")
    assert "Data: &lt;toy&gt;." in html
    assert "src=" not in html
    assert "<link" not in html


def test_how_the_bundle_learned_is_drawn(found: Comparison, tmp_path: Path) -> None:
    curve = [Judgement(1.0, 1, 0.1), Judgement(2.0, 2, 0.2)]
    _, page = write_report(found, tmp_path, [], curve=curve)
    assert "the best is 0.2000 after 2 minutes and 2 epochs" in page.read_text("utf-8")


def test_every_row_of_a_table_has_a_cell_for_each_column(found: Comparison) -> None:
    for table in tables(found):
        assert len(table.rows) == len(found.rows)
        assert {len(row) for row in table.rows} == {len(table.columns)}
