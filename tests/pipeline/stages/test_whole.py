"""From a checkpoint on: modules of the examples, random weights, the real torch, pnnx and sherpa-ncnn."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from ..conftest import ran, run_all
from ..small import write_wav

torch = pytest.importorskip("torch")
pytest.importorskip("pnnx")
pytest.importorskip("sherpa_ncnn")

WORDS = 20


@pytest.fixture
def examples(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(root / "examples"))
    yield root / "examples"
    for name in [name for name in sys.modules if name.startswith("demo_transducer")]:
        del sys.modules[name]


def checkpoint(kind: str) -> dict[str, object]:
    from demo_transducer.conv_emformer import ConvEmformer, ConvEmformerSizes
    from demo_transducer.lstm import LstmEncoder, LstmSizes
    from demo_transducer.transducer import Transducer

    torch.manual_seed(0)
    encoders = {"conv_emformer": (ConvEmformer, ConvEmformerSizes), "lstm": (LstmEncoder, LstmSizes)}
    encoder, sizes = encoders[kind]
    model = Transducer(encoder(sizes()), WORDS)
    with torch.no_grad():
        model.joiner.output.weight.mul_(10)  # so that the likeliest token is so by far
    return {"sizes": asdict(sizes()), "vocabulary": WORDS, "model": model.state_dict()}


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["conv_emformer", "lstm"])
def test_the_whole_way(examples: Path, tmp_path: Path, kind: str) -> None:
    torch.save(checkpoint(kind), tmp_path / "weights.pt")
    words = ["<blk>", "<sos/eos>", "<unk>", *(f"▁w{number}" for number in range(3, WORDS))]
    (tmp_path / "tokens.txt").write_text("".join(f"{word} {n}\n" for n, word in enumerate(words)), "utf-8")
    (tmp_path / "wavs").mkdir()
    for name, pitch in (("a", 200.0), ("b", 500.0)):
        write_wav(tmp_path / f"wavs/{name}.wav", pitch)
    path = tmp_path / "ncnnparam.toml"
    path.write_text(f"""[trace]
how = "factory"
factory = "demo_transducer.export:{kind}"
path = '{examples}'
checkpoint = "weights.pt"
[tokens]
tokens = "tokens.txt"
[calibrate]
wavs = "wavs"
""")
    assert ran(run_all(path))[:4] == ["trace", "tokens", "convert", "repair"]
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert report["problems"] == []
    assert {(proof["net"], proof["form"]) for proof in report["proofs"]} == {
        (net, form) for net in ("encoder", "decoder", "joiner") for form in ("fp32", "fp16")
    }
    assert all(proof["error"] <= proof["limit"] for proof in report["proofs"])
    for utterance in report["utterances"]:
        texts = utterance["texts"]
        assert list(texts) == ["torch", "fp32", "fp16", "int8"]
        assert texts["torch"]
        assert texts["torch"] == texts["fp32"]
    assert {size["form"] for size in report["sizes"]} == {"pt", "fp32", "fp16", "int8"}
    assert ran(run_all(path)) == []
