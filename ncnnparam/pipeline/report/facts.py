"""The records that a report is made of: small, typed, and such that json holds them.

A number that may be infinite is None then, for json has no infinity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ncnnparam.views.charts import envelope

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_PEAK_DIGITS = 3


@dataclass(frozen=True)
class Stage:
    """A stage of the run.

    Attributes:
        name: Its name.
        status: ``run``, ``cached`` if an earlier run had done it, ``skipped`` if there was no need.
        seconds: How long it took when it was run; None if it was skipped.
        note: Why it was skipped, or what else is to be said.
    """

    name: str
    status: Literal["run", "cached", "skipped"]
    seconds: float | None = None
    note: str = ""


@dataclass(frozen=True)
class FileSize:
    """The size of a net's file.

    Attributes:
        net: ``encoder``, ``decoder`` or ``joiner``.
        form: ``pt`` for TorchScript, else the storage: ``fp32``, ``fp16`` or ``int8``.
        bytes: Size of the ``.pt`` or of the ``.bin``.
        file: Name of the file.
    """

    net: str
    form: str
    bytes: int
    file: str


@dataclass(frozen=True)
class Counts:
    """How many layers and blobs a net has.

    Attributes:
        net: The net.
        before: Layers and blobs as pnnx wrote them.
        after: Layers and blobs of the file that is used.
    """

    net: str
    before: tuple[int, int]
    after: tuple[int, int]


@dataclass(frozen=True)
class Repair:
    """Something that was wrong in a graph, and was mended.

    Attributes:
        net: The net.
        repair: Name of the repair.
        places: In how many places.
        first: The first of them.
    """

    net: str
    repair: str
    places: int
    first: str = ""


@dataclass(frozen=True)
class Proof:
    """The numbers of a mended net beside those of PyTorch, in one call.

    Attributes:
        net: The net.
        form: Storage of its weights.
        call: Which call: ``chunk 0``, for example.
        outputs: How many outputs were compared.
        error: The largest difference, relative in an output that has numbers above 1; None if an output has
            another shape, or lost finite numbers.
        limit: The largest that is allowed.
    """

    net: str
    form: str
    call: str
    outputs: int
    error: float | None
    limit: float

    @property
    def holds(self) -> bool:
        """The numbers are near enough."""
        return self.error is not None and self.error <= self.limit


@dataclass(frozen=True)
class Change:
    """What became of a net's graph from one form to another, as ``ncnnparam diff`` tells it.

    Attributes:
        net: The net.
        old: One form: ``fp16``, for example.
        new: The other: ``int8``, for example.
        summary: In a line.
        lines: Line by line, those of a diff.
    """

    net: str
    old: str
    new: str
    summary: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class LayerError:
    """How far an output of a layer is off in int8.

    Attributes:
        net: The net.
        layer: Name of the layer.
        type: Its type.
        form: What it computes with: ``int8``, ``fp16`` or ``fp32``.
        sqnr: Power of the right numbers over that of the error, in dB; None for equal numbers.
        cosine: Cosine between the right numbers and these.
        max_error: The largest difference.
    """

    net: str
    layer: str
    type: str
    form: str
    sqnr: float | None
    cosine: float
    max_error: float


@dataclass(frozen=True)
class Histogram:
    """How large the numbers were that a layer read in calibration.

    Attributes:
        net: The net.
        layer: Name of the layer.
        absmax: The largest absolute value; the last bin ends there.
        counts: How many numbers fell into each of equal bins from 0.
        thresholds: By what they are (``kl``), the sizes from which on int8 clips.
    """

    net: str
    layer: str
    absmax: float
    counts: tuple[float, ...]
    thresholds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Utterance:
    """A wav, and what was heard in it.

    Attributes:
        wav: Its name.
        seconds: How long it is.
        texts: What was heard, by engine: ``torch``, ``fp32``, ``fp16``, ``int8``.
        transcript: What is said in it, or None.
        peaks: The smallest and largest sample of equal parts of it, see ``peaks_of``.
    """

    wav: str
    seconds: float
    texts: Mapping[str, str]
    transcript: str | None = None
    peaks: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class ErrorRate:
    """Word errors of an engine over all wavs that have a transcript.

    Attributes:
        engine: The engine, as in ``Utterance.texts``.
        errors: Substitutions, insertions and deletions.
        words: How many words there should be.
    """

    engine: str
    errors: int
    words: int

    @property
    def rate(self) -> float | None:
        """Errors for each word; None where there are no words."""
        return self.errors / self.words if self.words else None


@dataclass(frozen=True)
class Speed:
    """How fast an engine decoded.

    Attributes:
        engine: The engine, as in ``Utterance.texts``.
        audio: Seconds of audio.
        seconds: How long it took.
        threads: In how many threads.
    """

    engine: str
    audio: float
    seconds: float
    threads: int = 1

    @property
    def real_time_factor(self) -> float | None:
        """Seconds for each second of audio; None where there was no audio."""
        return self.seconds / self.audio if self.audio else None


@dataclass(frozen=True)
class Command:
    """A command line that uses the result.

    Attributes:
        what: What it does.
        line: The command line, to be run in the folder of the result.
    """

    what: str
    line: str


def peaks_of(samples: ArrayLike) -> tuple[tuple[float, float], ...]:
    """The peaks of an utterance from its samples in [-1, 1]."""
    return tuple(
        (round(float(low), _PEAK_DIGITS), round(float(high), _PEAK_DIGITS)) for low, high in envelope(samples)
    )
