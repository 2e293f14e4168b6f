"""From pnnx's output on: the three kinds of encoders, made small, with numbers and texts of PyTorch's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ..conftest import ran, run_all

KINDS = ("conv-emformer", "lstm", "zipformer")


def config(vectors: Path, kind: str) -> str:
    raw = vectors / kind / "raw/fp32"
    nets = "".join(
        f"{part} = '{raw}/{part}_jit_trace_pnnx.ncnn.param'\n" for part in ("encoder", "decoder", "joiner")
    )
    return f"""[model]
name = "{kind}"
[trace]
how = "converted"
{nets}
[tokens]
tokens = '{vectors}/tokens.txt'
[prove]
expected = '{vectors}/{kind}/expected.npz'
tolerance = 2e-5
[calibrate]
wavs = '{vectors}/speech.wav'
"""


@pytest.mark.nightly
@pytest.mark.parametrize("kind", KINDS)
def test_the_whole_way(shared: Path, tmp_path: Path, kind: str) -> None:
    vectors = shared / "vectors"
    path = tmp_path / "ncnnparam.toml"
    path.write_text(config(vectors, kind))
    assert ran(run_all(path))[-1] == "report"
    report = json.loads((tmp_path / "out/report.json").read_text())
    about = json.loads((vectors / kind / "meta.json").read_text())
    (encoder,) = (row for row in report["counts"] if row["net"] == "encoder")
    assert encoder["before"] == about["counts"]["raw"]
    if kind != "zipformer":  # its repairs may be right and have other counts
        assert encoder["after"] == about["counts"]["repaired_sherpa"]
    assert report["metadata"].split() == about["sherpa_meta_data"].split()
    assert {proof["form"] for proof in report["proofs"]} == {"fp32", "fp16"}
    assert all(proof["error"] <= proof["limit"] for proof in report["proofs"])
    (utterance,) = report["utterances"]
    heard = json.loads((vectors / kind / "greedy.json").read_text())["text"]
    assert (utterance["texts"]["fp32"], utterance["texts"]["fp16"]) == (heard, heard)
    assert utterance["texts"]["int8"]  # it loads and hears something
    assert report["problems"] == []
