"""The training's modules, importable."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import pytest

from tests.conftest import ROOT


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The modules of `demo_training` by name."""
    for needed in ("torch", "sentencepiece", "kaldialign", "kaldi_native_fbank", "soundfile"):
        pytest.importorskip(needed)
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    names = (
        "batches",
        "disturb",
        "loop",
        "loss",
        "recognise",
        "sentences",
        "speech",
        "spread",
        "tokens",
        "voices",
    )
    return SimpleNamespace(**{name: importlib.import_module(f"demo_training.{name}") for name in names})
