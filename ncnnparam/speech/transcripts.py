"""What is said in wavs, written down by people."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ncnnparam.errors import ConfigError
from ncnnparam.syntax import read_text


def read_transcripts(path: str | os.PathLike[str], names: Iterable[str]) -> dict[str, str]:
    """What was said, by the name of the wav without folder and ending.

    Args:
        path: A file with such a name and the text on each line.
        names: The wavs that need one.

    Raises:
        ConfigError: Some have none.
        FileError: The file cannot be read.
    """
    lines = [line.split(maxsplit=1) for line in read_text(path).splitlines() if line.strip()]
    found = {Path(words[0]).stem: words[1] if len(words) > 1 else "" for words in lines}
    missing = [name for name in names if Path(name).stem not in found]
    if missing:
        raise ConfigError(
            f"{path} has no transcript of {', '.join(missing)}",
            hint=f"a line is the name of a wav and what is said in it: {Path(missing[0]).stem} HELLO WORLD",
        )
    return found
