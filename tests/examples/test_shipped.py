"""The shipped models: small, loadable without trust, and they recognise the shipped recordings."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ncnnparam.speech.audio import read_wav
from ncnnparam.speech.features import fbank

torch = pytest.importorskip("torch")
sentencepiece = pytest.importorskip("sentencepiece")
kaldialign = pytest.importorskip("kaldialign")
pytest.importorskip("soundfile")
pytest.importorskip("kaldi_native_fbank")

MOST_BYTES = 6_000_000
MOST_PARAMETERS = 1_000_000
TAIL = 4800
"""Zeros after the end, the 0.3 s that sherpa-ncnn's own program adds."""


def transcripts(folder: Path) -> dict[Path, str]:
    """What is said in each recording of a folder."""
    lines = (folder / "transcripts.txt").read_text(encoding="utf-8").splitlines()
    return {folder / name: text for name, text in (line.split(" ", 1) for line in lines)}


def test_all_is_small(folder: Path) -> None:
    made = {"__pycache__", "out"}  # by Python, and by a run of the pipeline
    files = [path for path in folder.rglob("*") if not made & set(path.relative_to(folder).parts)]
    assert sum(path.stat().st_size for path in files if path.is_file()) < MOST_BYTES


def test_a_model_is_small(model: Any) -> None:
    assert sum(each.numel() for each in model.parameters()) < MOST_PARAMETERS


def test_every_recording_has_a_transcript(folder: Path) -> None:
    for name, least in (("test", 12), ("calibration", 6)):
        said = transcripts(folder / "speech" / name)
        assert set(said) == set((folder / "speech" / name).glob("*.wav"))
        assert len(said) >= least


@torch.no_grad()
def test_recognises_the_recordings(folder: Path, model: Any) -> None:
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "bpe.model"))
    errors = words = 0
    for path, said in transcripts(folder / "speech" / "test").items():
        features = torch.from_numpy(fbank(np.pad(read_wav(path), (0, TAIL))))
        frames = model.encoder.frames(torch.tensor(len(features)))
        heard = pieces.decode(model.search(model.encoder.encode(features[None])[0, :frames]))
        errors += kaldialign.edit_distance(said.split(), heard.split())["total"]
        words += len(said.split())
    assert errors < 0.05 * words


def test_word_pieces_are_numbered_as_icefall_does(folder: Path, checkpoint: dict[str, Any]) -> None:
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "bpe.model"))
    assert [pieces.id_to_piece(number) for number in range(3)] == ["<blk>", "<sos/eos>", "<unk>"]
    assert pieces.get_piece_size() == checkpoint["vocabulary"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch.jit.trace is old
@pytest.mark.filterwarnings("ignore:Converting a tensor to a Python boolean")  # by the checks of nn.LSTM
def test_what_is_exported_can_be_traced(
    modules: SimpleNamespace, kind: str, checkpoint: dict[str, Any]
) -> None:
    parts = getattr(modules.export, kind.replace("-", "_"))(checkpoint)
    assert list(parts) == ["encoder", "decoder", "joiner"]
    for module, inputs in parts.values():
        assert not module.training
        with torch.no_grad():
            traced = torch.jit.trace(module, inputs)
            given, wanted = traced(*inputs), module(*inputs)
        torch.testing.assert_close(given, wanted)
