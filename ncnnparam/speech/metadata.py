"""The metadata of an encoder as typed values; every field holds the value of the icefall flag of its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from ncnnparam.errors import MetadataError, did_you_mean
from ncnnparam.speech.flags import (
    CONV_EMFORMER,
    KINDS,
    LSTM,
    ZIPFORMER,
    Field,
    Kind,
    Setting,
    numbered_kind,
    spell,
)

if TYPE_CHECKING:
    from ncnnparam.graph import Layer

LAYER_TYPE = "SherpaMetaData"
LAYER_NAME = "sherpa_meta_data1"
"""The only name under which sherpa-ncnn looks for the layer."""


class Metadata:
    """What sherpa-ncnn must know of an encoder; the subclasses hold the fields.

    Attributes:
        kind: The kind of the encoder and the table of its fields.
    """

    __slots__ = ()
    kind: ClassVar[Kind]

    def __post_init__(self) -> None:
        for field, value in zip(self.kind.fields, self.values().values(), strict=True):
            try:
                field.check(value)
            except ValueError as error:
                raise MetadataError(f"{field.label} {error}") from None
        lengths = {field.label: len(value) for field, value in self._rows() if isinstance(value, tuple)}
        if len(set(lengths.values())) > 1:
            counts = ", ".join(f"{label} {length}" for label, length in lengths.items())
            raise MetadataError(
                f"the flags give different numbers of stacks: {counts}",
                hint="each needs one number for each stack",
            )

    def values(self) -> dict[str, Setting]:
        """The flags' values by field name, in the order of the keys."""
        return {field.name: cast("Setting", getattr(self, field.name)) for field in self.kind.fields}

    def params(self) -> dict[int, Setting]:
        """The params of the ``SherpaMetaData`` layer, by ascending id."""
        return {0: self.kind.number} | {field.key: field.store(value) for field, value in self._rows()}

    def with_key(self, key: int, stored: object) -> Metadata:
        """A copy with one key set to what the layer shall hold, not to a flag's value.

        Raises:
            MetadataError: This kind has no such key, or the key cannot hold that.
        """
        field = self.kind.key(key)
        if field is None:
            raise MetadataError(
                f"key {key} means nothing in {self.kind.name} metadata",
                hint="its keys are " + ", ".join(f"{each.key} ({each.label})" for each in self.kind.fields),
            )
        plain = Field(field.name, field.key, field.default, minimum=field.minimum)
        try:
            value = plain.parse(stored)
        except ValueError as error:
            raise MetadataError(f"key {key} {error}") from None
        return of_kind(self.kind, self.values() | {field.name: field.restore(value)})

    def _rows(self) -> list[tuple[Field, Setting]]:
        return list(zip(self.kind.fields, self.values().values(), strict=True))


@dataclass(frozen=True, slots=True)
class ConvEmformer(Metadata):
    """Metadata of an encoder from ``conv_emformer_transducer_stateless2``; the flags of its recipe.

    Attributes:
        num_encoder_layers: Number of encoder layers.
        memory_size: Memory vectors that each layer keeps.
        cnn_module_kernel: Width of the depthwise convolution, in encoder frames.
        left_context_length: Left context in feature frames, before subsampling.
        chunk_length: Chunk in feature frames, before subsampling.
        right_context_length: Right context in feature frames, before subsampling.
        encoder_dim: Width of the encoder's frames.
    """

    num_encoder_layers: int
    memory_size: int
    cnn_module_kernel: int
    left_context_length: int
    chunk_length: int
    right_context_length: int
    encoder_dim: int
    kind: ClassVar[Kind] = CONV_EMFORMER


@dataclass(frozen=True, slots=True)
class Lstm(Metadata):
    """Metadata of an encoder from ``lstm_transducer_stateless2`` or ``3``; the flags of its recipe.

    Attributes:
        num_encoder_layers: Number of LSTM layers.
        encoder_dim: Width of the encoder's frames, and of the LSTM's output.
        rnn_hidden_size: Number of LSTM cells.
    """

    num_encoder_layers: int
    encoder_dim: int
    rnn_hidden_size: int
    kind: ClassVar[Kind] = LSTM


@dataclass(frozen=True, slots=True)
class Zipformer(Metadata):
    """Metadata of an encoder from ``pruned_transducer_stateless7_streaming``; tuples have one number a stack.

    Attributes:
        decode_chunk_len: Chunk in feature frames, before subsampling.
        num_left_chunks: Left context in chunks.
        pad_length: Feature frames that a segment has beyond the chunk; 7 in all published code.
        version: Version of the model format; sherpa-ncnn 2.0 and newer refuse 0.
        num_encoder_layers: Layers of each stack.
        encoder_dims: Width of the frames in each stack.
        attention_dims: Width of the attention keys in each stack, all heads together.
        zipformer_downsampling_factors: What each stack divides the frame rate by.
        cnn_module_kernels: Width of the depthwise convolutions in each stack.
    """

    decode_chunk_len: int
    num_left_chunks: int
    num_encoder_layers: tuple[int, ...]
    encoder_dims: tuple[int, ...]
    attention_dims: tuple[int, ...]
    zipformer_downsampling_factors: tuple[int, ...]
    cnn_module_kernels: tuple[int, ...]
    pad_length: int = 7
    version: int = 1
    kind: ClassVar[Kind] = ZIPFORMER


_CLASSES: tuple[type[Metadata], ...] = (ConvEmformer, Lstm, Zipformer)


def of_kind(kind: Kind, values: Mapping[str, Setting]) -> Metadata:
    """The metadata of a kind from the flags' values.

    Args:
        kind: The kind.
        values: A value for every field; those without a flag may be left out.

    Raises:
        MetadataError: A value is missing, has no place, or is none that the recipe takes.
    """
    cls = next(cls for cls in _CLASSES if cls.kind is kind)
    known = [field.name for field in kind.fields]
    for name in values:
        if name not in known:
            raise MetadataError(f"{kind.name} metadata have no {name!r}", hint=did_you_mean(name, known))
    missing = [field.label for field in kind.flags if field.name not in values]
    if missing:
        raise MetadataError(f"{kind.name} metadata need {', '.join(missing)}")
    return cls(**values)


def from_params(params: Mapping[int, object]) -> Metadata:
    """Read the params of a ``SherpaMetaData`` layer, by id; ids that the kind does not use are passed over.

    Raises:
        MetadataError: Key 0 names no kind, or a key is missing or of the wrong type.
    """
    kind = numbered_kind(params.get(0))
    if kind is None:
        known = ", ".join(f"{each.number} ({each.name})" for each in KINDS)
        said = f"is {params[0]!r}" if 0 in params else "is missing"
        raise MetadataError(f"key 0, the kind of the model, {said}", hint=f"sherpa-ncnn knows {known}")
    values = {field.name: read_key(field, params[field.key]) for field in kind.fields if field.key in params}
    missing = [f"{field.key} ({field.label})" for field in kind.flags if field.name not in values]
    if missing:
        raise MetadataError(f"{kind.name} metadata lack key {', '.join(missing)}")
    # sherpa-ncnn reads an absent key as 0
    absent = {field.name: 0 for field in kind.fields if field.name not in values}
    return of_kind(kind, values | absent)


def from_layer(layer: Layer) -> Metadata:
    """The metadata that a ``SherpaMetaData`` layer holds.

    Raises:
        MetadataError: It is another layer, or its params are not in order.
    """
    if layer.type != LAYER_TYPE:
        raise MetadataError(f"layer {layer.name!r} is a {layer.type}, not a {LAYER_TYPE}")
    try:
        return from_params(dict(layer.params))
    except MetadataError as error:
        raise MetadataError(f"layer {layer.name!r}: {error.message}", hint=error.hint) from None


def read_key(field: Field, stored: object) -> Setting:
    """The value of a field from what its key holds.

    Raises:
        MetadataError: The key holds something of another type.
    """
    numbers = stored if isinstance(stored, tuple) else (stored,)
    if isinstance(stored, tuple) != field.many or not all(isinstance(item, int) for item in numbers):
        wanted = "an array of ints" if field.many else "an int"
        raise MetadataError(f"key {field.key} ({field.label}) must be {wanted}, not {stored!r}")
    return field.restore(cast("Setting", stored))


def describe(metadata: Metadata) -> str:
    """The metadata as flags on one line, as they would be given to the recipe."""
    rows = metadata.values().items()
    flags = [
        (field, value) for field, (_, value) in zip(metadata.kind.fields, rows, strict=True) if field.has_flag
    ]
    return " ".join(f"{field.label} {spell(value)}" for field, value in flags)
