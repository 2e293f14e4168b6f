"""The real texts that tests start from."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"
"""Files of many origins, kept beside the checkout."""

NO_PARAM = "gh-hist__nihui+realsr-ncnn-vulkan__6a4573e8__models__models-ESRGAN__x1.param"
"""The one file of the corpus that is no ``.param``: it holds a single number."""


def corpus() -> dict[str, bytes]:
    """Name and content of every file that is a ``.param``; empty without the corpus."""
    return {path.name: path.read_bytes() for path in sorted(CORPUS.glob("*.param")) if path.name != NO_PARAM}


def demo() -> dict[str, bytes]:
    """The encoder that comes with the package."""
    path = ROOT / "ncnnparam" / "demo" / "encoder.ncnn.param"
    return {path.name: path.read_bytes()}
