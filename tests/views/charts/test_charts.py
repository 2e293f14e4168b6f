"""Charts: golden files, and for any numbers and names well-formed text whose shapes lie in the drawing."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam.views.charts import (
    Svg,
    envelope,
    grouped_bars,
    histogram,
    horizontal_bars,
    line_chart,
    waveform,
)
from tests.views.charts.cases import CASES, GOLDEN

SVG = "{http://www.w3.org/2000/svg}"
numbers = st.lists(st.floats(), max_size=20)
names = st.text(max_size=40)


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str) -> None:
    assert CASES[case]() == (GOLDEN / f"{case}.svg").read_text(encoding="utf-8")


def test_golden_folder_has_no_others() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(CASES)


def elements(chart: Svg) -> list[ElementTree.Element]:
    """The elements of a chart, which must be well-formed, with a title and a description."""
    root = ElementTree.fromstring(chart)
    assert root.get("role") == "img"
    assert root[0].tag == SVG + "title"
    assert root[1].tag == SVG + "desc"
    assert root[1].text
    return list(root)


def assert_inside(chart: Svg) -> None:
    """No shape is outside the drawing, whatever the numbers are."""
    root = ElementTree.fromstring(chart)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for element in elements(chart):
        assert "nan" not in element.get("d", "")
        assert "inf" not in element.get("d", "")
        if element.tag == SVG + "rect":
            x, y, w, h = (float(element.attrib[name]) for name in ("x", "y", "width", "height"))
            assert 0 <= x <= x + w <= width + 0.2
            assert 0 <= y <= y + h <= height + 0.2
        for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", element.get("d", "")):
            assert -1 <= float(x) <= width + 1
            assert -1 <= float(y) <= height + 1


@given(st.lists(st.tuples(names, st.floats()), max_size=20), st.none() | st.floats(), names)
def test_bars_take_anything(rows: list[tuple[str, float]], limit: float | None, title: str) -> None:
    labels, values = [label for label, _ in rows], [value for _, value in rows]
    chart = horizontal_bars(title, labels, values, limit=limit)
    assert_inside(chart)
    assert len(re.findall("<rect", chart)) == len([value for value in values if not np.isnan(value)])


@given(st.dictionaries(names, st.tuples(st.floats(), st.floats()), max_size=5))
def test_groups_take_anything(series: dict[str, tuple[float, float]]) -> None:
    assert_inside(grouped_bars("t", ["a", "b"], series))


@given(numbers, st.booleans(), st.none() | st.floats())
def test_lines_take_anything(values: list[float], step: bool, limit: float | None) -> None:
    assert_inside(line_chart("t", {"a": values, "b": values[::-1]}, step=step, limit=limit))
    assert_inside(line_chart("t", {"a": values}, x=values))


@given(numbers, st.floats(), st.floats(), st.dictionaries(names, st.floats(), max_size=3), st.booleans())
def test_histograms_take_anything(
    counts: list[float], low: float, high: float, thresholds: dict[str, float], log: bool
) -> None:
    assert_inside(histogram("t", counts, low=low, high=high, thresholds=thresholds, log=log))


@given(st.lists(st.floats(width=32), max_size=50), st.floats(), st.integers(1, 30))
def test_waveforms_take_anything(samples: list[float], seconds: float, columns: int) -> None:
    assert_inside(waveform("t", envelope(samples, columns), seconds))


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=200), st.integers(1, 50))
def test_an_envelope_holds_every_extreme(samples: list[float], columns: int) -> None:
    peaks = envelope(samples, columns)
    assert len(peaks) == min(columns, len(samples))
    assert peaks[:, 0].min() == min(samples)
    assert peaks[:, 1].max() == max(samples)
    assert (peaks[:, 0] <= peaks[:, 1]).all()


def test_many_bins_become_few_columns_that_lose_nothing() -> None:
    counts = np.arange(2048)
    chart = histogram("t", counts, high=1, log=False)
    (columns,) = re.findall(r'<path d="([^"]*)" fill="var', chart)
    assert columns.count("H") <= 128
    assert f"{counts.sum():.4g} numbers" in chart


def test_labels_are_text() -> None:
    chart = horizontal_bars("</title><script>", ["<b>&\x00\ud800"], [1])
    assert "<script>" not in chart
    assert "&lt;b&gt;&amp;\ufffd\ufffd" in chart


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="one value for each of 2 labels"):
        horizontal_bars("t", ["a", "b"], [1])
    with pytest.raises(ValueError, match="one number for each of 2 places"):
        line_chart("t", {"a": [1, 2], "b": [1]})
