"""What is run on each item: a net, or the three nets of a transducer.

A runner is small and can be sent to another process, where ``open`` loads its nets.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ncnnparam.errors import BadItemError, unreadable
from ncnnparam.quantize.compat import scale_table_tool
from ncnnparam.quantize.data import Inputs
from ncnnparam.quantize.guard import Guard
from ncnnparam.quantize.histogram import Histogram
from ncnnparam.runtime.session import Run, Session
from ncnnparam.speech import Metadata
from ncnnparam.speech.greedy import Greedy
from ncnnparam.speech.nets import PASSED_OVER
from ncnnparam.speech.stream import Stream
from ncnnparam.speech.streaming import streaming
from ncnnparam.speech.transducer import Transducer

if TYPE_CHECKING:
    from numpy.typing import NDArray

Pair: TypeAlias = tuple[str, str]
"""The files of a net: ``.param`` and ``.bin``."""


@dataclass(frozen=True)
class Wanted:
    """Blobs of a transducer to look at.

    Attributes:
        encoder: Of the encoder, after every segment.
        joiner: Of the joiner, after every encoder frame.
    """

    encoder: tuple[str, ...] = ()
    joiner: tuple[str, ...] = ()


class Opened(Protocol):
    """Loaded nets."""

    def measure(self, inputs: Inputs) -> dict[str, Histogram]:
        """Runs an item, and tells what the wanted blobs held, by their names.

        Raises:
            BadItemError: A blob gets NaN or infinity, or a layer cannot be computed of what it gets.
            NcnnParamError: ncnn cannot compute a blob.
        """

    def close(self) -> None:
        """Frees the nets."""


class Runner(Protocol):
    """Nets that are not loaded yet; equal runners do the same."""

    def __hash__(self) -> int: ...

    def open(self) -> Opened:
        """Loads the nets."""

    def settings(self) -> dict[str, str]:
        """What the numbers depend on besides the items. The files are read when it is first asked for."""


@dataclass(frozen=True)
class NetRunner:
    """One net, which each item feeds once.

    Attributes:
        files: The net.
        blobs: The blobs to look at.
        types: Custom types of the net.
        preparation: How items were made, for ``settings``.
        guard: Of the way to the blobs, and of the layers that read them.
    """

    files: Pair
    blobs: tuple[str, ...]
    types: tuple[str, ...] = ()
    preparation: str = ""
    guard: Guard = field(default_factory=Guard)

    def open(self) -> Opened:
        """Loads the net."""
        return _OpenNet(self, Session(*self.files, self.types))

    def settings(self) -> dict[str, str]:
        """What the numbers depend on besides the items."""
        about = {"preparation": self.preparation} if self.preparation else {}
        return {"model": self._digest, "blobs": _told(self.blobs), **about}

    @cached_property
    def _digest(self) -> str:
        return digest(*self.files)


@dataclass(frozen=True)
class TransducerRunner:
    """The nets of a transducer, which take the samples of a wav.

    Attributes:
        encoder: The encoder.
        decoder: The decoder.
        joiner: The joiner.
        metadata: Of the encoder.
        wanted: The blobs to look at.
        types: Custom types of the encoder.
        compat: Do as sherpa-ncnn's generate-int8-scale-table; see ``compat.scale_table_tool``.
    """

    encoder: Pair
    decoder: Pair
    joiner: Pair
    metadata: Metadata
    wanted: Wanted
    types: tuple[str, ...] = ()
    compat: bool = False

    def open(self) -> Opened:
        """Loads the nets."""
        return _OpenTransducer(self)

    def settings(self) -> dict[str, str]:
        """What the numbers depend on besides the items."""
        about = {"blobs": _told(self.wanted.encoder + self.wanted.joiner), "compat": str(self.compat)}
        return self._digests | about

    @cached_property
    def _digests(self) -> dict[str, str]:
        files = {"encoder": self.encoder, "decoder": self.decoder, "joiner": self.joiner}
        return {name: digest(*pair) for name, pair in files.items()}


class _OpenNet:
    def __init__(self, runner: NetRunner, session: Session) -> None:
        self._runner, self._session = runner, session
        self.close = session.close

    def measure(self, inputs: Inputs) -> dict[str, Histogram]:
        run = self._runner.guard.start(self._session, inputs)
        histograms: dict[str, Histogram] = {}
        for name in self._runner.blobs:
            _count(histograms, name, run.fetch([name])[name])
        return histograms


class _OpenTransducer:
    def __init__(self, runner: TransducerRunner) -> None:
        nets = Session(*runner.encoder, runner.types), Session(*runner.decoder), Session(*runner.joiner)
        self._blobs = {"encoder": runner.wanted.encoder, "joiner": runner.wanted.joiner}
        self._histograms: dict[str, Histogram] = {}
        kind = scale_table_tool.ToolTransducer if runner.compat else Transducer
        self._transducer = kind(*nets, streaming(runner.metadata), self._look)
        self._passed_over = scale_table_tool.PASSED_OVER if runner.compat else PASSED_OVER
        self.close = self._transducer.close

    def measure(self, inputs: Inputs) -> dict[str, Histogram]:
        self._histograms = {}
        stream = Stream(self._transducer, Greedy(self._transducer, self._passed_over))
        stream.accept(inputs["samples"])
        stream.finish(tail=0)
        return self._histograms

    def _look(self, net: str, run: Run) -> None:
        for blob, numbers in run.fetch(self._blobs.get(net, ())).items():
            _count(self._histograms, f"{net}/{blob}", numbers)


def _count(histograms: dict[str, Histogram], name: str, numbers: NDArray[Any]) -> None:
    try:
        histograms.setdefault(name, Histogram()).add(numbers)
    except ValueError as error:
        raise BadItemError(f"blob '{name}' gets {error}") from None


def _told(names: tuple[str, ...]) -> str:
    return hashlib.sha256(" ".join(names).encode("utf-8", "surrogateescape")).hexdigest()


def digest(*files: str) -> str:
    """A digest of what is in some files.

    Raises:
        FileError: One cannot be read.
    """
    sums = hashlib.sha256()
    for file in files:
        try:
            with Path(file).open("rb") as opened:
                while block := opened.read(1 << 20):
                    sums.update(block)
        except OSError as error:
            raise unreadable(file, error) from None
    return sums.hexdigest()
