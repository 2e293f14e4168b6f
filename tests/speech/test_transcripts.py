"""What is said in wavs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncnnparam.errors import ConfigError
from ncnnparam.speech.transcripts import read_transcripts


def test_by_name(tmp_path: Path) -> None:
    said = tmp_path / "said.txt"
    said.write_text("a.wav HELLO YOU\n\nb\n")
    assert read_transcripts(said, ["x/a.wav", "b.flac"]) == {"a": "HELLO YOU", "b": ""}
    with pytest.raises(ConfigError, match=r"has no transcript of c\.wav") as caught:
        read_transcripts(said, ["a.wav", "c.wav"])
    assert "c HELLO WORLD" in str(caught.value)
