"""The charts of the golden folder; ``python -m tests.views.charts.cases`` draws them anew."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from pathlib import Path

import numpy as np

from ncnnparam.views.charts import (
    HALF,
    Svg,
    envelope,
    grouped_bars,
    histogram,
    horizontal_bars,
    line_chart,
    waveform,
)

GOLDEN = Path(__file__).with_name("golden")
SAMPLES = np.sin(np.arange(800) / 7) * np.linspace(0, 0.8, 800)

CASES: dict[str, Callable[[], Svg]] = {
    "bars": lambda: horizontal_bars(
        "SQNR by layer",
        ["linear_1", "conv<2>&co", "encoder.layers.11.feed_forward.linear_2", "a", "b", "c"],
        [31.25, -4, 18, inf, nan, 0],
        unit="dB",
        limit=20,
    ),
    "bars-none": lambda: horizontal_bars("Nothing", [], []),
    "groups": lambda: grouped_bars(
        "Sizes",
        ["encoder", "decoder"],
        {"pt": [120.5e6, 3e6], "fp32": [118e6, 2.9e6], "int8": [30e6, nan]},
        show=lambda size: f"{size / 1e6:.1f} MB",
    ),
    "line": lambda: line_chart(
        "Error",
        {"read": [40, 41.5, nan, 38, inf, 30], "own": [50, 51, 52, 49, 47, 48]},
        x_label="layer",
        y_label="dB",
        limit=35,
    ),
    "line-one": lambda: line_chart("One", {"it": [5]}, x=[3]),
    "line-none": lambda: line_chart("Nothing", {}),
    "step": lambda: line_chart("Steps", {"": [1, 3, 2]}, x=[0, 10, 20], step=True),
    "histogram": lambda: histogram(
        "linear_1",
        np.floor(1e5 * np.exp(-np.arange(300) / 20)),
        high=12.5,
        thresholds={"kl": 6.25, "aciq": 14.0, "mse": nan},
        x_label="absolute value",
    ),
    "histogram-linear": lambda: histogram("Counts", [1, 4, -2, nan, 2], low=-1, high=1.5, log=False),
    "histogram-none": lambda: histogram("Nothing", np.zeros(8), high=0),
    "histogram-half": lambda: histogram("a", [9, 1], high=2, thresholds={"kl": 1}, width=HALF),
    "waveform": lambda: waveform("yes.wav", envelope(SAMPLES, 40), 0.05),
    "waveform-half": lambda: waveform("yes.wav", envelope(SAMPLES, 40), 0.05, width=HALF),
    "waveform-none": lambda: waveform("empty.wav", envelope([]), 0),
}

if __name__ == "__main__":
    for name, draw in CASES.items():
        (GOLDEN / f"{name}.svg").write_text(draw(), encoding="utf-8")
