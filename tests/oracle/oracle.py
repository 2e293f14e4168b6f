"""Ask the installed ncnn what it makes of a text."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .served import Served

_OUR_DOING = "overwrite built-in layer type"  # ncnn's message about the empty layers of a blank load


@dataclass(frozen=True)
class Verdict:
    """What ``ncnn.Net.load_param`` did with one text.

    Attributes:
        rc: Its return value, or None if it did not return.
        signal: The signal that ended the process, or None.
        error: The Python exception that came out of ncnn (``MemoryError()``), or None.
        messages: What ncnn printed to stderr.
        layers: What a blank load read, ``[type, name, inputs, outputs, params]`` a layer; else None.
    """

    rc: int | None
    signal: int | None
    error: str | None
    messages: tuple[str, ...]
    layers: list[Any] | None

    @property
    def reads(self) -> bool:
        """Whether the file was loaded."""
        return self.rc == 0

    @property
    def crashes(self) -> bool:
        """Whether ncnn died, hung or ran out of memory."""
        return self.rc is None


class Oracle(Served):
    """A running judge; use as a context manager."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="oracle-")
        self._file = Path(self._folder.name, "judged.param")
        super().__init__(Path(__file__).with_name("server.py"))

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._folder.cleanup()

    def load(self, text: bytes, *, blank: bool = False) -> Verdict:
        """Load one text with ncnn.

        Args:
            text: The content of the file.
            blank: Replace every layer type, the built-in ones too, by an empty layer, so that only the text
                is judged and not the values of the params. Types unknown to ncnn are always replaced.
        """
        self._file.write_bytes(text)
        return self.load_file(self._file, blank=blank)

    def load_file(self, path: Path, *, blank: bool = False, seconds: int = 30) -> Verdict:
        """Load a file; after so many seconds ncnn counts as crashed."""
        answer = self.ask(path=str(path), blank=blank, seconds=seconds)
        return Verdict(
            rc=answer.get("rc"),
            signal=answer["signal"],
            error=answer.get("error"),
            messages=tuple(line for line in answer["messages"] if not line.startswith(_OUR_DOING)),
            layers=answer.get("layers"),
        )
