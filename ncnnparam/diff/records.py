"""What a diff consists of: one small record per difference, ready for json.

``old`` and ``new``, ``before`` and ``after`` are always the first and the second graph.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

if TYPE_CHECKING:
    from ncnnparam.syntax import Value


@dataclass(frozen=True, slots=True)
class LayerRef:
    """A layer of one of the two graphs; ``line`` is None for a layer made in memory."""

    type: str
    name: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Source:
    """What an input reads, seen through Splits: output ``output`` of the layer named ``layer``.

    For a blob that no layer writes, ``layer`` is None. ``blob`` is the name in its own file.
    """

    layer: str | None
    output: int
    blob: str

    def __str__(self) -> str:
        if self.layer is None:
            return f"nothing (no layer writes '{self.blob}')"
        return f"{self.layer}:{self.output}" if self.output else self.layer


@dataclass(frozen=True, slots=True)
class LayerAdded:
    """A layer that only the second graph has, with what it reads and its params as written."""

    kind: ClassVar = "layer-added"
    layer: LayerRef
    inputs: tuple[Source, ...]
    params: str


@dataclass(frozen=True, slots=True)
class LayerRemoved:
    """A layer that only the first graph has, with what it reads and its params as written."""

    kind: ClassVar = "layer-removed"
    layer: LayerRef
    inputs: tuple[Source, ...]
    params: str


@dataclass(frozen=True, slots=True)
class LayerMoved:
    """A layer that stands elsewhere among the others; ``*_above`` name the layer above it, Splits aside."""

    kind: ClassVar = "layer-moved"
    before: LayerRef
    after: LayerRef
    old_above: str | None
    new_above: str | None


@dataclass(frozen=True, slots=True)
class TypeChanged:
    """A layer of another type in the same place, with its params as written."""

    kind: ClassVar = "type-changed"
    before: LayerRef
    after: LayerRef
    old_params: str
    new_params: str


@dataclass(frozen=True, slots=True)
class ParamChanged:
    """A param with another value for ncnn.

    Attributes:
        before: The layer in the first graph.
        after: The layer in the second graph.
        id: The key in the text.
        name: Its name in ncnn's source, or None if the registry knows none.
        old: What ncnn worked with, default or not; None if the line says nothing and no default is known.
        new: What ncnn works with now.
        implied: Neither line states it: its default is another param, and that one changed.
    """

    kind: ClassVar = "param-changed"
    before: LayerRef
    after: LayerRef
    id: int
    name: str | None
    old: Value | None
    new: Value | None
    implied: bool = False


@dataclass(frozen=True, slots=True)
class LayerQuantized:
    """A layer that computes with other numbers (weights compared only), in place of the params that say so.

    ``old`` and ``new`` are words: ``fp32`` or ``fp16`` after the storage of its weights, ``int8``,
    ``int8, int8 output``, ``4 bit in blocks of 64``.
    """

    kind: ClassVar = "layer-quantised"
    before: LayerRef
    after: LayerRef
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class SpellingChanged:
    """Params that say the same to ncnn and are written differently (``textual`` only)."""

    kind: ClassVar = "spelling-changed"
    before: LayerRef
    after: LayerRef
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class InputChanged:
    """An input that reads something else; None where a layer has no input of that index."""

    kind: ClassVar = "input-changed"
    before: LayerRef
    after: LayerRef
    index: int
    old: Source | None
    new: Source | None


@dataclass(frozen=True, slots=True)
class OutputCountChanged:
    """A layer with more or fewer outputs than before."""

    kind: ClassVar = "output-count-changed"
    before: LayerRef
    after: LayerRef
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class InterfaceChanged:
    """An input or output of the whole network, which programs ask for by its blob name.

    ``old`` and ``new`` differ for a rename, one of them is None when it came or went; both are the same
    for an output that another layer computes now.
    """

    kind: ClassVar = "interface-changed"
    direction: Literal["input", "output"]
    old: str | None
    new: str | None
    old_source: Source | None = None
    new_source: Source | None = None


@dataclass(frozen=True, slots=True)
class CountChanged:
    """A count of the header that is wrong, and not by as much in the other file.

    ncnn reads as many layers as the header says, so this is a difference although the layers are the same.
    ``old`` and ``new`` are declared count and true count.
    """

    kind: ClassVar = "count-changed"
    what: str
    old: tuple[int, int]
    new: tuple[int, int]


@dataclass(frozen=True, slots=True)
class LayerRenamed:
    """A layer with another name (``strict_names`` only)."""

    kind: ClassVar = "layer-renamed"
    before: LayerRef
    after: LayerRef


@dataclass(frozen=True, slots=True)
class BlobRenamed:
    """A blob inside the network with another name (``strict_names`` only)."""

    kind: ClassVar = "blob-renamed"
    before: LayerRef
    after: LayerRef
    output: int
    old: str
    new: str


Record: TypeAlias = (
    LayerAdded
    | LayerRemoved
    | LayerMoved
    | TypeChanged
    | ParamChanged
    | LayerQuantized
    | SpellingChanged
    | InputChanged
    | OutputCountChanged
    | InterfaceChanged
    | CountChanged
    | LayerRenamed
    | BlobRenamed
)

Place: TypeAlias = tuple[int, int, int]
"""Where a record stands in a diff: the layer of the second graph at or above it, rank, layer of the first."""


@dataclass(frozen=True, slots=True)
class Diff:
    """All differences between two graphs; falsy when there are none.

    Attributes:
        records: First those of the network as a whole, then layer by layer in the order of the file.
        aligned: Number of layers, Splits aside, that both graphs have.
        by_structure: How many of these have different names and were recognised by their place.
    """

    records: tuple[Record, ...]
    aligned: int
    by_structure: int

    def __bool__(self) -> bool:
        return bool(self.records)

    def counts(self) -> dict[str, int]:
        """How many records there are of each kind."""
        counts: dict[str, int] = {}
        for record in self.records:
            counts[record.kind] = counts.get(record.kind, 0) + 1
        return counts

    def to_json(self) -> dict[str, Any]:
        """The diff in types that ``json.dumps`` takes."""
        return {
            "same": not self.records,
            "aligned": self.aligned,
            "by_structure": self.by_structure,
            "counts": self.counts(),
            "records": [{"kind": record.kind, **asdict(record)} for record in self.records],
        }
