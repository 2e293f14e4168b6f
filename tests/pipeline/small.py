"""A whole small transducer as pnnx would have written it: the package's own encoder, and nets made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from ncnnparam import load, save
from ncnnparam.weights import Storage
from ncnnparam.weights.convert import convert

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "ncnnparam/demo"
TOKENS = 12
WIDTH = 48
RATE = 16_000

DECODER = f"""7767517
4 4
Input            in0      0 1 in0
Embed            embed    1 1 in0 1 0={WIDTH} 1={TOKENS} 2=0 3={WIDTH * TOKENS}
Reduction        mean     1 1 1 2 0=3 1=0 -23303=1,0 4=1 5=1
ReLU             relu     1 1 2 out0
"""
JOINER = f"""7767517
7 7
Input            in0      0 1 in0
Input            in1      0 1 in1
InnerProduct     linear_1 1 1 in0 2 0={WIDTH} 1=1 2={WIDTH * WIDTH}
InnerProduct     linear_2 1 1 in1 3 0={WIDTH} 1=1 2={WIDTH * WIDTH}
BinaryOp         add_0    2 1 2 3 4 0=0
TanH             tanh_0   1 1 4 5
InnerProduct     linear_3 1 1 5 out0 0={TOKENS} 1=1 2={WIDTH * TOKENS}
"""


def write_model(folder: Path, *, seed: int = 0) -> None:
    """Raw nets, ``tokens.txt``, and two wavs in ``wavs``."""
    folder.mkdir(parents=True, exist_ok=True)
    encoder = load(DEMO / "encoder.ncnn.param", DEMO / "encoder.ncnn.bin")
    convert(encoder.graph, Storage.FLOAT32)
    save(encoder, folder / "encoder.ncnn.param", folder / "encoder.ncnn.bin")
    random = np.random.default_rng(seed)
    write_net(folder / "decoder.ncnn.param", DECODER, [random.normal(size=WIDTH * TOKENS)])
    write_net(
        folder / "joiner.ncnn.param",
        JOINER,
        [
            part
            for count, bias in ((WIDTH, WIDTH), (WIDTH, WIDTH), (TOKENS, TOKENS))
            for part in (random.normal(size=count * WIDTH) / 4, random.normal(size=bias) / 4)
        ],
    )
    lines = ["<blk> 0", "<sos/eos> 1", "<unk> 2", *(f"▁t{number} {number}" for number in range(3, TOKENS))]
    (folder / "tokens.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    (folder / "wavs").mkdir(exist_ok=True)
    for name, pitch in (("a", 220.0), ("b", 330.0)):
        write_wav(folder / "wavs" / f"{name}.wav", pitch)


def write_net(path: Path, text: str, arrays: list[np.ndarray]) -> None:
    """A graph and its float32 weights; those with an even place are tagged, the others, biases, are not."""
    path.write_text(text, encoding="ascii")
    content = b""
    for place, array in enumerate(arrays):
        content += (b"" if place % 2 else bytes(4)) + array.astype("<f4").tobytes()
    path.with_suffix(".bin").write_bytes(content)
    save(load(path, path.with_suffix(".bin")), path, path.with_suffix(".bin"))  # they fit


def write_wav(path: Path, pitch: float, *, seconds: float = 1.2, rate: int = RATE, channels: int = 1) -> None:
    """A tone that grows."""
    time = np.arange(int(seconds * rate)) / rate
    tone = np.sin(2 * np.pi * pitch * time) * np.linspace(0.05, 0.5, len(time))
    soundfile.write(path, np.stack([tone] * channels, axis=1) if channels > 1 else tone, rate)


def config(*, more: str = "", trace: str = "") -> str:
    """A config for these files."""
    return f"""[trace]
how = "converted"
encoder = "encoder.ncnn.param"
decoder = "decoder.ncnn.param"
joiner = "joiner.ncnn.param"
{trace}
[tokens]
tokens = "tokens.txt"
[calibrate]
wavs = "wavs"
{more}"""
