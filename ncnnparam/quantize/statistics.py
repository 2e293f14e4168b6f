"""What calibration has seen so far: a histogram for each blob, and the items that were run.

Statistics of parts of the data can be merged in any order, and kept in a file to go on from.
"""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ncnnparam.errors import ConfigError, FileError, unreadable
from ncnnparam.quantize.histogram import Histogram
from ncnnparam.syntax import write_atomic

MAX_SIZE = 8 << 30
"""The most bytes of arrays that are read from a file."""
_FORMAT = 2
_DIGEST = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{56}\b")
"""A digest, of which messages show the beginning."""


@dataclass
class Statistics:
    """The numbers that the blobs of a model held.

    Attributes:
        settings: What the numbers depend on besides the items: the model, how images are read. Statistics
            with other settings cannot be merged.
        items: The items that were run: name -> a digest of what is in them.
        blobs: By name of the blob; of a model of several nets ``net/blob``.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    items: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, Histogram] = field(default_factory=dict)

    def update(self, other: Statistics) -> None:
        """Adds what others have seen.

        Raises:
            ConfigError: They are of another model, or both have run the same item; nothing is changed.
        """
        self.require(other.settings)
        twice = self.items.keys() & other.items.keys()
        if twice:
            raise ConfigError(f"both statistics have run {min(twice)}", hint="each item may count only once")
        self.items.update(other.items)
        for name, histogram in other.blobs.items():
            self.blobs.setdefault(name, Histogram()).update(histogram)

    def require(self, settings: Mapping[str, str], name: str = "the statistics") -> None:
        """Makes sure that these were made with the same settings.

        Raises:
            ConfigError: They were not.
        """
        for key in dict.fromkeys((*settings, *self.settings)):  # the model comes first
            mine, its = self.settings.get(key), settings.get(key)
            if mine != its:
                was, now = (_DIGEST.sub(r"\1...", value or "not there") for value in (mine, its))
                raise ConfigError(
                    f"{name} cannot be gone on with: {key} was {was} and is {now}",
                    hint="name another file to begin anew",
                )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes an ``.npz`` file, which is the old one or the new one and never half.

        Raises:
            FileError: It cannot be written.
        """
        about = {
            "format": _FORMAT,
            "settings": dict(self.settings),
            "items": self.items,
            "blobs": list(self.blobs),
        }
        arrays: dict[str, Any] = {"about": np.frombuffer(json.dumps(about).encode(), np.uint8)}
        for number, histogram in enumerate(self.blobs.values()):
            arrays |= {f"{number}.{key}": value for key, value in histogram.state().items()}
        content = io.BytesIO()
        np.savez_compressed(content, **arrays)
        write_atomic(path, content.getvalue())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Statistics:
        """Reads a file that ``save`` has written.

        Raises:
            FileError: It cannot be read, or is no such file.
        """
        try:
            with zipfile.ZipFile(path) as archive:
                size = sum(member.file_size for member in archive.infolist())
            if size > MAX_SIZE:
                raise FileError(f"{path} would need {size:,} bytes of memory, more than {MAX_SIZE:,}")
            with np.load(path, allow_pickle=False) as arrays:
                return cls._restore(arrays)
        except OSError as error:
            raise unreadable(path, error) from None
        except (zipfile.BadZipFile, ValueError, KeyError, TypeError, EOFError) as error:
            raise FileError(f"{path} holds no statistics of a calibration: {error}") from None

    @classmethod
    def _restore(cls, arrays: Mapping[str, Any]) -> Statistics:
        about = json.loads(arrays["about"].tobytes())
        if about["format"] != _FORMAT:
            raise ValueError(f"its format is {about['format']}, not {_FORMAT}")
        states: dict[int, dict[str, Any]] = {number: {} for number in range(len(about["blobs"]))}
        for key in arrays:
            number, dot, name = key.partition(".")
            if dot:
                states[int(number)][name] = arrays[key]
        blobs = {name: Histogram.restore(states[number]) for number, name in enumerate(about["blobs"])}
        return cls(about["settings"], about["items"], blobs)
