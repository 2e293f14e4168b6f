"""What a recogniser heard in a wav, whichever it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Heard:
    """What was heard in a wav.

    Attributes:
        name: The wav.
        tokens: The tokens.
        text: Their text, without blanks around it.
        timestamps: When each token was found, in seconds from the begin, of two decimals.
        seconds: The time it took, in seconds, features and search included.
        audio_seconds: How long the wav is.
    """

    name: str
    tokens: tuple[int, ...]
    text: str
    timestamps: tuple[float, ...]
    seconds: float
    audio_seconds: float

    @property
    def rtf(self) -> float:
        """The real-time factor: seconds of work for a second of audio."""
        return self.seconds / self.audio_seconds

    def to_json(self) -> dict[str, Any]:
        """The fields in types that ``json.dumps`` takes."""
        return {
            "name": self.name,
            "tokens": list(self.tokens),
            "text": self.text,
            "timestamps": list(self.timestamps),
            "seconds": self.seconds,
            "audio_seconds": self.audio_seconds,
        }


def from_json(fields: Mapping[str, Any]) -> Heard:
    """What ``to_json`` made of it."""
    lists = {name: tuple(fields[name]) for name in ("tokens", "timestamps")}
    return Heard(**{**fields, **lists})
