"""A report with something in each of its fields.

``python -m tests.pipeline.report.example`` writes the golden files and the schema anew.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ncnnparam.pipeline.report import (
    Change,
    Command,
    Counts,
    ErrorRate,
    FileSize,
    Histogram,
    LayerError,
    Proof,
    Repair,
    Report,
    Speed,
    Stage,
    Utterance,
)
from ncnnparam.pipeline.report.facts import peaks_of
from ncnnparam.pipeline.report.form import schema, to_json
from ncnnparam.pipeline.report.html import to_html
from tests.views.test_page import body

GOLDEN = Path(__file__).with_name("golden")
SCHEMA = "docs/report.schema.json"
"""Seen from the checkout."""

SIZES = {"encoder": (3_120_000, 3_080_000, 1_540_000, 880_000), "joiner": (41_000, 38_000, 19_100, 10_400)}
STAGES = {"trace": 8.1, "convert": 12.25, "repair": 0.61, "prove": 2.4, "quantise": 0.3, "verify": 4.75}
SAMPLES = 0.4 * np.sin(np.arange(16000) / 300) * np.sin(np.arange(16000) / 2500)
COUNTS = tuple(float(count) for count in np.floor(2e4 * np.exp(-np.arange(64) / 6)))


def example() -> Report:
    return Report(
        "demo <conv-emformer>",
        kind="conv-emformer",
        target="sherpa-ncnn-2.1.15",
        tools={"ncnnparam": "0.1.0", "torch": "2.13.0", "pnnx": "20261020"},
        stages=(
            Stage("source", "skipped", note="nothing is to be fetched"),
            *(Stage(name, "run", seconds) for name, seconds in STAGES.items()),
            Stage("calibrate", "cached", 5.0),
        ),
        problems=("b.wav is heard otherwise in int8",),
        sizes=tuple(
            FileSize(net, form, size, f"{net}.{form}.bin")
            for net, sizes in SIZES.items()
            for form, size in zip(("pt", "fp32", "fp16", "int8"), sizes, strict=True)
        ),
        counts=(Counts("encoder", (188, 234), (189, 234)), Counts("joiner", (8, 8), (8, 8))),
        repairs=(
            Repair("encoder", "pnnx-glu-axis", 2, "glu_0: axis 1 is 0 without the batch axis"),
            Repair("encoder", "pnnx-drop-casts", 1, "Tensor.to_5: removed"),
        ),
        proofs=(
            Proof("encoder", "fp32", "chunk 0", 9, 1.4e-6, 1e-4),
            Proof("encoder", "fp16", "chunk 0", 9, 2.2e-3, 1e-2),
        ),
        metadata="SherpaMetaData sherpa_meta_data1 0 0 0=1 1=2 2=16 3=15 4=8 5=32 6=8 7=48",
        changes=(
            Change(
                "encoder",
                "fp32",
                "int8",
                "2 layers are int8",
                ("@@ -5 +5 @@ InnerProduct linear_1: fp32 -> int8",),
            ),
        ),
        layers=(
            LayerError("encoder", "linear_1", "InnerProduct", "int8", 21.5, 0.9965, 0.31),
            LayerError("encoder", "conv_2", "Convolution", "int8", 33.25, 0.99976, 0.05),
            LayerError("joiner", "linear_3", "InnerProduct", "fp32", None, 1.0, 0.0),
        ),
        histograms=(
            Histogram("encoder", "conv_2", 9.0, COUNTS, {"kl": 7.5}),
            Histogram("encoder", "linear_1", 4.5, COUNTS, {"kl": 3.25, "percentile": 4.0}),
        ),
        utterances=(
            Utterance(
                "a.wav",
                1.0,
                {"torch": "TURN LEFT", "fp32": "TURN LEFT", "int8": "TURN LEFT"},
                "turn left",
                peaks_of(SAMPLES),
            ),
            Utterance(
                "b.wav", 1.5, {"torch": "GO ON NOW", "fp32": "GO ON NOW", "int8": "GO UP"}, "go on now"
            ),
        ),
        word_errors=(ErrorRate("torch", 0, 5), ErrorRate("fp32", 0, 5), ErrorRate("int8", 2, 5)),
        speeds=(Speed("fp32", 2.5, 0.2), Speed("int8", 2.5, 0.15, threads=2)),
        commands=(
            Command("Decode with sherpa-ncnn", "sherpa-ncnn tokens.txt encoder.param encoder.bin & more"),
        ),
    )


def write() -> None:
    GOLDEN.mkdir(exist_ok=True)
    (GOLDEN / "report.json").write_text(to_json(example()), encoding="utf-8")
    (GOLDEN / "report.html").write_text(body(to_html(example())), encoding="utf-8")
    Path(SCHEMA).write_text(json.dumps(schema(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
