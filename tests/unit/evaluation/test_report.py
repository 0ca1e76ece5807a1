from pathlib import Path

import pytest

from headrace.errors import DataInvalid
from headrace.evaluation.cold import ColdFigures
from headrace.evaluation.intervals import Interval
from headrace.evaluation.report.cold import write_cold_report
from headrace.evaluation.report.curve import Judgement, curve_plot, read_curve
from headrace.evaluation.report.drawing import ticks
from headrace.evaluation.report.plot import intervals_plot


@pytest.mark.parametrize(
    ("top", "marks"),
    [
        (0.33, [0, 0.1, 0.2, 0.3]),
        (0.2, [0, 0.05, 0.1, 0.15, 0.2]),
        (1.0, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (118.0, [0, 50, 100]),
    ],
)
def test_marks_of_an_axis_are_round(top: float, marks: list[float]) -> None:
    assert list(ticks(top)) == pytest.approx(marks)


def test_the_longest_bar_belongs_to_the_greatest_mean_and_names_are_escaped() -> None:
    named = [("a<b", Interval(0.4, 0.3, 0.5)), ("c", Interval(0.2, 0.1, 0.3))]
    drawn = intervals_plot("NDCG@10", named, reference="c")
    assert "a&lt;b" in drawn
    # 580 units are as wide as the highest end of an interval, .5.
    assert '<rect class="bar" x="210" y="40" width="464.0"' in drawn
    assert '<rect class="own" x="210" y="68" width="232.0"' in drawn


def test_a_plot_of_nothing_has_no_bars() -> None:
    assert "<rect" not in intervals_plot("NDCG@10", [])


def test_the_best_judgement_is_marked() -> None:
    drawn = curve_plot([Judgement(1, 2, 0.1), Judgement(2, 4, 0.3), Judgement(4, 8, 0.2)])
    assert "the best is 0.3000 after 2 minutes and 4 epochs" in drawn
    assert ">0.3000</text>" in drawn


def test_a_curve_is_what_training_writes(tmp_path: Path) -> None:
    path = tmp_path / "curve.jsonl"
    path.write_text('{"seconds": 90.0, "epochs": 3, "ndcg_at_10": 0.15, "loss": 5.8}\n')
    assert read_curve(path) == [Judgement(1.5, 3, 0.15)]


@pytest.mark.parametrize("line", ["[1]", "not json", '{"seconds": 1}', '{"seconds": "x"}'])
def test_another_file_is_refused_with_the_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "curve.jsonl"
    path.write_text(f'{{"seconds": 1, "epochs": 1, "ndcg_at_10": 0.1}}\n{line}\n')
    with pytest.raises(DataInvalid, match="line 2: expected an object with seconds"):
        read_curve(path)


def test_an_axis_for_cold_items_and_one_for_the_whole_catalogue(tmp_path: Path) -> None:
    recall = {
        ranked: {"served": Interval(0.6, 0.5, 0.7), "tf-idf": Interval(0.4, 0.3, 0.5)}
        for ranked in ("among cold items", "whole catalogue")
    }
    found = ColdFigures(1_200, 60, 50, recall, recall)
    curve = [Judgement(1.0, 1, 0.1)]
    markdown, page = write_cold_report(found, tmp_path, ["CiteULike-a."], curve=curve)
    text, html = markdown.read_text("utf-8"), page.read_text("utf-8")
    assert "CiteULike-a. 1,200 people, known by their warm items alone; 60 cold items" in text
    assert "| served | 0.6000 [0.5000, 0.7000] |" in text
    assert html.count("<svg") == 3
    assert '<tr class="own"><th scope="row">served</th>' in html
    assert (tmp_path / "recall-among-cold-items.svg").exists()
