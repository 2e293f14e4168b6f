"""The part of the page about int8: the layers that it hurts, and what calibration saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf

from ncnnparam.pipeline.report.facts import Histogram, LayerError
from ncnnparam.pipeline.report.report import Report
from ncnnparam.views.charts import HALF, histogram, horizontal_bars
from ncnnparam.views.page import Cell, Chart, Details, Grid, Part, Table

_MOST_BARS = 20
_FIRST_HISTOGRAMS = 6
_NUMBERS = ("SQNR dB", "cosine", "max error")


def accuracy_parts(report: Report) -> Iterator[Part]:
    """A chart and a table of the worst layers, and histograms with thresholds."""
    if report.layers:
        worst = report.layers[:_MOST_BARS]
        labels = [f"{one.net} {one.layer}" for one in worst]
        yield Chart(
            horizontal_bars("SQNR of the worst layers", labels, [_sqnr(one) for one in worst], unit="dB"),
            caption="SQNR of the worst layers: the power of the fp32 numbers over that of the error",
        )
        table = Table(
            ["layer", "net", "type", "in", *_NUMBERS], [_row(one) for one in report.layers], right=_NUMBERS
        )
        yield Details(f"All {len(report.layers)} of them in numbers", [table])
    if report.histograms:
        hurt = {(one.net, one.layer): place for place, one in enumerate(report.layers)}
        ordered = sorted(report.histograms, key=lambda one: hurt.get((one.net, one.layer), len(hurt)))
        yield _drawn(ordered[:_FIRST_HISTOGRAMS])
        if ordered[_FIRST_HISTOGRAMS:]:
            rest = ordered[_FIRST_HISTOGRAMS:]
            yield Details(f"Histograms of {len(rest)} more layers", [_drawn(rest)])


def _drawn(histograms: Sequence[Histogram]) -> Grid:
    charts = [
        Chart(
            histogram(
                f"{one.net} {one.layer}",
                one.counts,
                high=one.absmax,
                thresholds=one.thresholds,
                x_label="|input|",
                width=HALF,
            ),
            caption=f"{one.net} {one.layer}",
        )
        for one in histograms
    ]
    return Grid(charts)


def _sqnr(error: LayerError) -> float:
    return inf if error.sqnr is None else error.sqnr


def _row(error: LayerError) -> list[Cell]:
    sqnr = "equal" if error.sqnr is None else f"{error.sqnr:.1f}"
    return [
        *(error.layer, error.net, error.type, error.form),
        *(sqnr, f"{error.cosine:.6f}", f"{error.max_error:.3g}"),
    ]
