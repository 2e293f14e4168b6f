"""A page about a calibration: what each layer's input held, and where it will be clipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ncnnparam.quantize.thresholds import LARGEST, METHODS
from ncnnparam.views.charts import HALF, histogram
from ncnnparam.views.page import Chart, Facts, Grid, Part, Section, page

if TYPE_CHECKING:
    from ncnnparam.quantize.calibrate import Part as Net
    from ncnnparam.quantize.statistics import Statistics
    from ncnnparam.quantize.table import Table


def calibration_page(nets: Sequence[tuple[Net, Table]], statistics: Statistics, method: str) -> str:
    """The HTML with a histogram of every layer's input.

    Args:
        nets: Each net with its table.
        statistics: What its blobs held.
        method: How the thresholds were found; those of the other methods are drawn beside.

    Raises:
        NcnnParamError: The package jinja2 is not installed.
    """
    sections = []
    for net, table in nets:
        facts = Facts({"items": len(statistics.items), "method": method, "layers": len(net.layers)})
        charts: list[Part] = list(_charts(net, table, statistics, method))
        sections.append(Section(net.net or "layers", [facts, Grid(charts)]))
    return page("Calibration", sections, subtitle="Absolute values of what each layer reads, without zeros.")


def _charts(net: Net, table: Table, statistics: Statistics, method: str) -> Iterator[Chart]:
    for layer in net.layers:
        found = net.histogram(layer, statistics)
        scale = table.input_scale(layer.name)
        chosen = {} if scale is None else {method: LARGEST / float(scale[0])}
        others = {name: how(found) for name, how in METHODS.items() if name != method}
        title = f"{layer.name} ({layer.type})"
        caption = "" if chosen else "It has no row: its input is not scaled by a fixed number."
        chart = histogram(
            title, found.linear(), high=found.absmax, thresholds=chosen | others, x_label="size", width=HALF
        )
        yield Chart(chart, f"{title}. {caption}".strip())
