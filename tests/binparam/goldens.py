"""What ncnn2mem made of some models, and where it is at fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..conftest import ROOT

SHARED = ROOT.parent / "shared"
FOLDER = SHARED / "golden" / "binparam"
_ELSEWHERE = {
    "det1": "corpus/gh__cpuimage+MTCNN__models__det1.param",
    "ser": "corpus/gh-hist__k2-fsa+sherpa-ncnn__3c6caa5f__python-api-examples__AudioSer__model__"
    "encoder_jit_trace-pnnx.ncnn.param",
    "enc": "golden/sherpa_small/enc.param",
    "cvo": "golden/optimize/cv.o0.param",
    "rec": "golden/seq/rec.q.param",
    "hand": "corpus/gh__zhahoi+handpose_x_ncnn__weights__hand_pnnx.py.ncnn.param",
}
FAULTS = {
    # a.b and a:b are one blob to it, as both become a_b; the Split reads the second
    "old": {196: (2).to_bytes(4, "little")},
    # its number reader wraps at 32 bits: 0.333333333333, 123456789012.5 and 4294967296.0
    "flt": {
        336: bytes.fromhex("9e103c3f"),
        360: bytes.fromhex("1a993e4f"),
        368: bytes(4),
    },
}
"""Words that ncnn2mem gets wrong: name -> offset -> what it wrote."""


@dataclass(frozen=True)
class Golden:
    """A model and what the tool made of it."""

    name: str
    param: Path

    def made(self, ending: str) -> bytes:
        """A file that the tool wrote."""
        return (FOLDER / f"{self.name}{ending}").read_bytes()

    def as_tool(self, data: bytes) -> bytes:
        """A ``.param.bin`` of ours with the tool's faults."""
        faulty = bytearray(data)
        for offset, wrong in FAULTS.get(self.name, {}).items():
            assert faulty[offset : offset + 4] != wrong
            faulty[offset : offset + 4] = wrong
        return bytes(faulty)


def goldens() -> Iterator[object]:
    """Every model of which there is a ``.param.bin``."""
    for made in sorted(FOLDER.glob("*.param.bin")):
        name = made.name.removesuffix(".param.bin")
        param = SHARED / _ELSEWHERE[name] if name in _ELSEWHERE else FOLDER / f"{name}.param"
        yield pytest.param(Golden(name, param), id=name)
