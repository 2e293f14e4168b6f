"""The child process that runs sherpa-ncnn, and what it makes of wrong models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ncnnparam.errors import ConfigError, FileError, NcnnParamError
from ncnnparam.speech import sherpa
from ncnnparam.speech.child import Limits
from ncnnparam.speech.files import ModelFiles
from ncnnparam.speech.heard import Heard, from_json

from .models import sherpa_small

pytest.importorskip("sherpa_ncnn")
pytest.importorskip("soundfile")


@pytest.fixture
def wavs(shared: Path) -> list[Path]:
    return [shared / f"golden/sherpa_small/w{number}.wav" for number in range(2)]


def spoilt(shared: Path, folder: Path, old: str, new: str) -> ModelFiles:
    """A model with an encoder that says something else."""
    model = sherpa_small(shared)
    text = Path(model.nets.encoder[0]).read_text()
    assert old in text
    (folder / "e.param").write_text(text.replace(old, new, 1))
    encoder = str(folder / "e.param"), model.nets.encoder[1]
    return replace(model, nets=model.nets._replace(encoder=encoder))


def test_each_wav_is_told(shared: Path, wavs: list[Path]) -> None:
    told: list[Heard] = []
    heard = sherpa.decode(sherpa_small(shared), wavs, advance=told.append)
    assert heard == told
    assert [one.name for one in heard] == [str(wav) for wav in wavs]
    assert all(one.text and one.rtf > 0 for one in heard)
    assert [from_json(one.to_json()) for one in heard] == heard


def test_a_bad_wav_keeps_its_code(shared: Path, tmp_path: Path) -> None:
    with pytest.raises(NcnnParamError, match=r"gone\.wav does not exist") as caught:
        sherpa.decode(sherpa_small(shared), [tmp_path / "gone.wav"])
    assert caught.value.code == "NP803"


def test_no_wavs(shared: Path) -> None:
    assert sherpa.decode(sherpa_small(shared), []) == []


def test_a_model_that_cannot_be_made(shared: Path, tmp_path: Path, wavs: list[Path]) -> None:
    model = spoilt(shared, tmp_path, "sherpa_meta_data1", "sherpa_meta_data2")
    with pytest.raises(
        NcnnParamError, match=r"died by signal 11 \(SIGSEGV\) while it loaded the model"
    ) as caught:
        sherpa.decode(model, wavs)
    assert "Unable to create a model" in caught.value.message
    assert f"ncnnparam check --target sherpa-ncnn-2.1.15 {tmp_path}" in str(caught.value)


def test_a_model_that_crashes_at_the_first_segment(shared: Path, tmp_path: Path, wavs: list[Path]) -> None:
    model = spoilt(shared, tmp_path, " 7=64", "")
    with pytest.raises(NcnnParamError, match=r"died by signal 11 \(SIGSEGV\) on .*w0\.wav"):
        sherpa.decode(model, wavs)


def test_limits(shared: Path, wavs: list[Path]) -> None:
    model = sherpa_small(shared)
    with pytest.raises(NcnnParamError, match=r"sherpa-ncnn was stopped after 0\.001 seconds while"):
        sherpa.decode(model, wavs, limits=Limits(8 << 30, 0.001))
    with pytest.raises(NcnnParamError, match="sherpa-ncnn died by"):
        sherpa.decode(model, wavs, limits=Limits(32 << 20, 60.0))


def test_a_wav_that_is_gone(shared: Path, wavs: list[Path], tmp_path: Path) -> None:
    heard: list[Heard] = []
    with pytest.raises(NcnnParamError, match=r"gone\.wav does not exist"):
        sherpa.decode(sherpa_small(shared), [wavs[0], tmp_path / "gone.wav"], advance=heard.append)
    assert len(heard) == 1


def test_files_that_are_gone_or_wrong(shared: Path, wavs: list[Path], tmp_path: Path) -> None:
    model = sherpa_small(shared)
    with pytest.raises(FileError, match="there is no gone"):
        sherpa.decode(replace(model, tokens="gone"), wavs)
    (tmp_path / "tokens.txt").write_text("<blk> 0\n")
    with pytest.raises(ConfigError, match="has 1 tokens, and the joiner gives"):
        sherpa.decode(replace(model, tokens=str(tmp_path / "tokens.txt")), wavs)
    with pytest.raises(ConfigError, match="no method 'beam'"):
        sherpa.decode(model, wavs, method="beam")
