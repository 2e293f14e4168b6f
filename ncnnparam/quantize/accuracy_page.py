"""Pages about errors: along the layers of two models, and of each layer quantised alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf, isfinite, nan
from typing import TYPE_CHECKING

from ncnnparam.quantize.accuracy_sensitivity import expected
from ncnnparam.views.charts import horizontal_bars, line_chart
from ncnnparam.views.page import Cell, Chart, Details, Facts, Part, Section, Table, page
from ncnnparam.views.units import decibel

if TYPE_CHECKING:
    from ncnnparam.diff.measure import Distance
    from ncnnparam.quantize.accuracy import Accuracy, LayerError
    from ncnnparam.quantize.accuracy_sensitivity import LayerCost

MOST_BARS = 30
"""Layers that a chart has bars for; tables have all of them."""
_COLUMNS = ("layer", "type", "A", "B", "reads", "own", "SQNR", "cosine", "max error")


def accuracy_page(nets: Mapping[str, Accuracy]) -> str:
    """The HTML of how far two models are apart.

    Args:
        nets: Of each net, by its name; of a single one the name may be empty.

    Raises:
        NcnnParamError: The package jinja2 is not installed.
    """
    sections = [Section(name or "layers", tuple(_net_parts(accuracy))) for name, accuracy in nets.items()]
    return page(
        "How far B is from A", sections, subtitle="SQNR is the power of A's numbers over the error's."
    )


def sensitivity_page(costs: Sequence[LayerCost]) -> str:
    """The HTML of what each layer costs if it alone is quantised.

    Args:
        costs: The layers, the dearest first.

    Raises:
        NcnnParamError: The package jinja2 is not installed.
    """
    shown = costs[:MOST_BARS]
    bars = horizontal_bars(
        "SQNR of the worst output", [one.layer for one in shown], [_bar(one.sqnr) for one in shown], unit="dB"
    )
    rows = [[one.layer, one.type, one.new, decibel(one.sqnr), one.output] for one in costs]
    parts: list[Part] = [
        Facts({"layers": len(costs), "all together": f"about {decibel(expected(costs))} dB"}),
        Chart(bars, "Each layer quantised alone, the dearest first."),
        Table(("layer", "type", "B", "SQNR", "output"), rows, right=("SQNR",)),
    ]
    return page("What each layer costs", [Section("layers", parts)])


def _net_parts(accuracy: Accuracy) -> Iterator[Part]:
    yield Facts({name: _told(distance) for name, distance in accuracy.outputs.items()})
    layers = [layer for layer in accuracy.layers if layer.distance is not None]
    if not layers:
        return
    series = {
        "SQNR": [_point(layer.sqnr) for layer in layers],
        "own": [_point(layer.own) for layer in layers],
    }
    caption = "In the order of the graph: of each output, and if the layer read A's numbers. Gaps are equal."
    yield Chart(line_chart("Error by layer", series, x_label="layer", y_label="dB"), caption)
    worst = [layer for layer in accuracy.worst() if isfinite(layer.sqnr)][:MOST_BARS]
    bars = horizontal_bars(
        "The worst layers", [layer.layer for layer in worst], [layer.sqnr for layer in worst], unit="dB"
    )
    yield Chart(bars, "SQNR of the layers' outputs.")
    rows = [_row(layer) for layer in accuracy.worst()]
    yield Details(f"all {len(rows)} layers", [Table(_COLUMNS, rows, right=_COLUMNS[4:])])


def _row(layer: LayerError) -> list[Cell]:
    front: list[Cell] = [layer.layer, layer.type, layer.old, layer.new]
    front += [decibel(layer.read), decibel(layer.own)]
    if layer.distance is None:
        return [*front, layer.note, "", ""]
    return [*front, decibel(layer.sqnr), f"{layer.distance.cosine:.6f}", f"{layer.distance.max_abs:.4g}"]


def _told(distance: Distance | None) -> str:
    if distance is None:
        return "of another shape, not compared"
    sqnr = "equal" if distance.sqnr == inf else f"{decibel(distance.sqnr)} dB"
    return f"{sqnr}, cosine {distance.cosine:.6f}, max error {distance.max_abs:.4g}"


def _point(sqnr: float | None) -> float:
    return nan if sqnr is None else sqnr


def _bar(sqnr: float) -> float:
    return sqnr if isfinite(sqnr) else nan
