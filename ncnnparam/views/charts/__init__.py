"""Small charts as SVG text: the same numbers give the same bytes, and nothing is loaded from elsewhere.

Each function takes a title and numbers and returns one ``<svg>`` element, for a page or a file of its own.
Text is in the colour of the text around it. Shapes have the colours of the CSS variables ``--series-1`` to
``--series-6`` and ``--mark``, with defaults that are readable on white.
"""

from ncnnparam.views.charts.bars import grouped_bars, horizontal_bars
from ncnnparam.views.charts.histogram import histogram
from ncnnparam.views.charts.lines import line_chart
from ncnnparam.views.charts.svg import HALF, Svg
from ncnnparam.views.charts.waveform import envelope, waveform

__all__ = [
    "HALF",
    "Svg",
    "envelope",
    "grouped_bars",
    "histogram",
    "horizontal_bars",
    "line_chart",
    "waveform",
]
