"""Wavs of every kind that is no use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ncnnparam.quantize.wavs import wav_items
from tests.speech.wavs import SPEECH, write

soundfile = pytest.importorskip("soundfile")


def test_every_bad_kind_is_named(tmp_path: Path) -> None:
    good = write(tmp_path / "good.wav")
    write(tmp_path / "rate.wav", rate=8000)
    write(tmp_path / "stereo.wav", channels=2)
    write(tmp_path / "silent.wav", np.zeros(16_000, np.int16))
    write(tmp_path / "short.wav", SPEECH[:4000])
    write(tmp_path / "none.wav", SPEECH[:0])
    write(tmp_path / "again.wav", SPEECH)
    (tmp_path / "cut.wav").write_bytes(good.read_bytes()[:20_000])
    (tmp_path / "text.wav").write_text("no audio")
    (tmp_path / "void.wav").touch()
    (tmp_path / "folder.wav").mkdir()
    nan = SPEECH.astype(np.float32) / 32768
    nan[100] = np.nan
    soundfile.write(tmp_path / "nan.wav", nan, 16_000, "FLOAT")
    (tmp_path / "list").write_text(
        "\n".join(str(path) for path in sorted(tmp_path.glob("*.wav"))) + "\ngone.wav"
    )

    items = wav_items(tmp_path / "list", shortest=8000)

    bad = {Path(name).name: why for name, why in items.bad.items()}
    assert [Path(item.name).name for item in items.good] == ["again.wav"]
    for name, why in {
        "good.wav": "is the same as",
        "rate.wav": "has 8000 samples a second, not 16000",
        "stereo.wav": "has 2 channels",
        "silent.wav": "is silent",
        "short.wav": "is too short: 4000 samples",
        "none.wav": "is too short: 0 samples",
        "cut.wav": "is cut off",
        "text.wav": "cannot be read as audio",
        "void.wav": "cannot be read as audio",
        "folder.wav": "is no regular file",
        "nan.wav": "NaN",
        "gone.wav": "does not exist",
    }.items():
        assert why in bad.pop(name)
    assert not bad
