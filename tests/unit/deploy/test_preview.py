"""Dashboards without Grafana: what a page shows of what Prometheus answers."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from deploy.grafana.drawing import drawn, told
from deploy.grafana.panels import Board, Panel, Row
from deploy.grafana.preview import page

SPAN = (1_000.0, 1_100.0)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.9987, "percentunit", "99.87 %"),
        (0.0042, "s", "4.2 ms"),
        (12.0, "s", "12 s"),
        (268.0, "s", "4.47 min"),
        (9_000.0, "s", "2.5 h"),
        (180_000.0, "s", "2.08 days"),
        (250.0, "bytes", "250 B"),
        (134_217_728, "bytes", "134 MB"),
        (41.5, "reqps", "41.5/s"),
        (0.0, "short", "0"),
        (1_682, "short", "1.68 k"),
    ],
)
def test_numbers_are_told_in_their_units(value: float, unit: str, text: str) -> None:
    assert told(value, unit) == text


def test_a_line_goes_from_left_to_right_and_from_zero_to_the_top() -> None:
    panel = Panel("Lists", {"lists": "x"}, "reqps")
    html = drawn(panel, {"lists": [(1_000, 0.0), (1_050, 1.0), (1_100, 2.0)]}, SPAN)
    assert 'points="46.0,96.0 183.0,50.0 320.0,4.0"' in html
    assert "lists <b>2/s</b>" in html


def test_an_axis_ends_on_a_round_number_of_what_it_is_told_in() -> None:
    panel = Panel("Age", {"age": "x"}, "s")
    axis = re.findall(r"end\">([^<]+)<", drawn(panel, {"age": [(1_000, 2_700.0)]}, SPAN))
    assert axis == ["0 ms", "15 min", "30 min", "45 min", "1 h"]


def test_a_number_says_whether_it_is_a_good_one() -> None:
    low = Panel("Age", {"age": "x"}, kind="stat", threshold=10.0)
    high = Panel("Kept", {"kept": "x"}, "percentunit", kind="stat", threshold=0.99, good="high")
    assert 'class="number good">3<' in drawn(low, {"age": [(1_000, 30.0), (1_100, 3.0)]}, SPAN)
    assert 'class="number bad">' in drawn(low, {"age": [(1_000, 30.0)]}, SPAN)
    assert 'class="number good">100 %<' in drawn(high, {"kept": [(1_000, 1.0)]}, SPAN)
    assert 'class="number bad">' in drawn(high, {"kept": [(1_000, 0.5)]}, SPAN)


def test_names_are_those_of_the_series_that_go_on() -> None:
    panel = Panel("Models", {"{{model_version}}": "x"}, kind="names")
    html = drawn(panel, {"old": [(1_000, 1.0), (1_050, 1.0)], "new": [(1_100, 1.0)]}, SPAN)
    assert html == '<ul class="names"><li>new</li></ul>'


def test_legends_are_in_the_order_of_their_numbers_and_no_empty_one_is_beside_others() -> None:
    def ask(query: str, span: tuple[float, float]) -> Sequence[Any]:
        labels = [{"position": text} for text in ("11-20", "2-3", "1")] + [{}]
        return [{"metric": one, "values": [[1_000, "1"]]} for one in labels]

    panel = Panel("Clicks", {"{{position}}": "x"})
    html = page(Board("b", "A board", [Row("Some", [panel])]), ask, SPAN)
    assert re.findall(r"([\w-]+) <b>", html) == ["1", "2-3", "11-20"]


def test_a_series_without_a_name_is_called_none() -> None:
    def ask(query: str, span: tuple[float, float]) -> Sequence[Any]:
        return [{"metric": {}, "values": [[1_000, "0"]]}]

    html = page(Board("b", "A board", [Row("Some", [Panel("P", {"{{code}}": "x"})])]), ask, SPAN)
    assert "none <b>0</b>" in html


def test_a_panel_without_data_says_so() -> None:
    assert "No data" in drawn(Panel("Lists", {"lists": "x"}), {"lists": []}, SPAN)


def test_a_page_asks_every_query_and_names_each_series() -> None:
    asked: list[str] = []

    def ask(query: str, span: tuple[float, float]) -> Sequence[Any]:
        asked.append(query)
        assert span == SPAN
        series = {"metric": {"source": "<trending>"}, "values": [[1_000, "1"], [1_050, "NaN"]]}
        return [series] if query == "rate(a)" else []

    panels = [Panel("By source", {"of {{source}}": "rate(a)"}), Panel("Other", {"": "rate(b)"})]
    html = page(Board("b", "A board", [Row("Some", panels)]), ask, SPAN)
    assert asked == ["rate(a)", "rate(b)"]
    assert "of &lt;trending&gt; <b>1</b>" in html
    assert html.count("No data") == 1
