"""Transducers for the tests of this folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from ncnnparam import load, loads, save
from ncnnparam.passes.pnnx import named_target, read_pnnx, repair
from ncnnparam.speech import from_layer, inject
from ncnnparam.speech.files import ModelFiles, NetFiles

KINDS = ("conv-emformer", "lstm", "zipformer")
"""Models under ../shared/vectors."""


def sherpa_small(shared: Path, *, int8: bool = False) -> ModelFiles:
    """A model of random weights whose wavs sherpa-ncnn decoded."""
    folder = shared / "golden/sherpa_small"
    q = ".q" if int8 else ""
    encoder, decoder, joiner = (
        (str(folder / f"{name}.param"), str(folder / f"{name}.bin")) for name in (f"enc{q}", "dec", f"joi{q}")
    )
    return ModelFiles(NetFiles(encoder, decoder, joiner), str(folder / "tokens.txt"))


def repaired(shared: Path, folder: Path, kind: str, target: str = "sherpa-ncnn") -> Path:
    """A folder with a model of ../shared/vectors that pnnx wrote, repaired and with metadata."""
    raw = shared / "vectors" / kind / "raw/fp32"
    place = folder / f"{kind}-{target}"
    place.mkdir()
    written, wanted = "{}_jit_trace_pnnx.ncnn.{}", "{}_jit_trace-pnnx.ncnn.{}"
    broken = load(*(raw / written.format("encoder", ending) for ending in ("param", "bin")))
    pnnx = read_pnnx(raw / "encoder_jit_trace_pnnx.pnnx.param")
    model = repair(broken, pnnx, named_target(target)).model
    about = json.loads((shared / "vectors" / kind / "meta.json").read_text())
    layer = loads(f"7767517\n1 0\n{about['sherpa_meta_data']}\n").graph.layer("sherpa_meta_data1")
    inject(model.graph, from_layer(layer))
    save(model, *(place / wanted.format("encoder", ending) for ending in ("param", "bin")))
    for net in ("decoder", "joiner"):
        for ending in ("param", "bin"):
            shutil.copyfile(raw / written.format(net, ending), place / wanted.format(net, ending))
    shutil.copyfile(shared / "vectors/tokens.txt", place / "tokens.txt")
    return place


def greedy(shared: Path, kind: str) -> dict:
    """What greedy search gives in PyTorch for ../shared/vectors/speech.wav."""
    return json.loads((shared / "vectors" / kind / "greedy.json").read_text())
