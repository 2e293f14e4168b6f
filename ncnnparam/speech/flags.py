"""The flags of icefall's export that become metadata: one table for each kind of encoder.

A field carries the value of the flag as it was given to ``export-for-ncnn.py``; its key in the
``SherpaMetaData`` layer may hold something else (``--left-context-length`` is stored divided by 4).

Sources: keys from ``csrc/meta-data.h`` and ``csrc/*-model.cc`` of k2-fsa/sherpa-ncnn; flags and defaults from
``add_model_arguments`` in ``egs/librispeech/ASR/<recipe>/train.py`` of k2-fsa/icefall, commit 36e0420.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Setting: TypeAlias = int | tuple[int, ...]
"""The value of a field: a number, or for Zipformer one number for each stack."""

FIRST_ARRAY_KEY = 16
"""From this key on sherpa-ncnn reads int arrays, below it ints."""

SUBSAMPLING = 4
"""Feature frames for each frame of the encoder, fixed in all three recipes."""

_INT32 = range(-(2**31), 2**31)


@dataclass(frozen=True, slots=True)
class Field:
    """One value of the metadata.

    Attributes:
        name: Name of the flag with underscores, and of the attribute in the metadata classes.
        key: Param id in the ``SherpaMetaData`` layer.
        default: What the recipe takes when the flag is not given; for a field without a flag, its constant.
        divisor: What the flag's value is divided by before it is stored.
        multiple: The recipe refuses values that are no multiple of this.
        minimum: The least value that makes sense.
        has_flag: False for constants of the model's code, which no flag changes.
    """

    name: str
    key: int
    default: Setting
    divisor: int = 1
    multiple: int = 1
    minimum: int = 1
    has_flag: bool = True

    @property
    def many(self) -> bool:
        """Whether there is one number for each stack."""
        return self.key >= FIRST_ARRAY_KEY

    @property
    def label(self) -> str:
        """The field as a user knows it: its flag, or its name when there is no flag."""
        words = self.name.replace("_", "-")
        return f"--{words}" if self.has_flag else words.replace("-", " ")

    def parse(self, raw: object) -> Setting:
        """The value in something a config, a command line or a log may hold.

        Args:
            raw: An int or its text; for a field of many also a list, or a text with commas.

        Raises:
            ValueError: It is not that, or no value the recipe takes. The text tells why.
        """
        items = raw.split(",") if isinstance(raw, str) else raw
        if self.many:
            value: Setting = tuple(_int(item) for item in (items if isinstance(items, Sequence) else [items]))
        elif isinstance(items, Sequence) and len(items) != 1:
            raise ValueError(f"is {_shown(raw)}, but takes one whole number")
        else:
            value = _int(items[0] if isinstance(items, Sequence) else items)
        self.check(value)
        return value

    def check(self, value: Setting) -> None:
        """Refuse a value that no model can have.

        Raises:
            ValueError: The text tells why.
        """
        numbers = value if isinstance(value, tuple) else (value,)
        if isinstance(value, tuple) != self.many:
            takes = "one number for each stack" if self.many else "one number"
            raise ValueError(f"is {spell(value)}, but takes {takes}")
        if not numbers:
            raise ValueError("is empty, but takes one number for each stack")
        for number in numbers:
            if number not in _INT32 or number < self.minimum:
                raise ValueError(f"is {spell(value)}, but must be at least {self.minimum} and fit 32 bits")
            if number % self.multiple:
                raise ValueError(f"is {spell(value)}, but must be a multiple of {self.multiple}")

    def store(self, value: Setting) -> Setting:
        """The flag's value -> the key's value."""
        if isinstance(value, tuple):
            return tuple(item // self.divisor for item in value)
        return value // self.divisor

    def restore(self, stored: Setting) -> Setting:
        """The key's value -> the flag's value."""
        if isinstance(stored, tuple):
            return tuple(item * self.divisor for item in stored)
        return stored * self.divisor


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of encoder that sherpa-ncnn runs.

    Attributes:
        name: Name in configs and on the command line.
        number: The value of key 0.
        recipe: How the folder of the icefall recipes begins.
        fields: The keys after key 0, by ascending key.
    """

    name: str
    number: int
    recipe: str
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field | None:
        """The field of that name, or None."""
        return next((field for field in self.fields if field.name == name), None)

    def key(self, key: int) -> Field | None:
        """The field that is stored under a key, or None."""
        return next((field for field in self.fields if field.key == key), None)

    @property
    def flags(self) -> tuple[Field, ...]:
        """The fields that have a flag."""
        return tuple(field for field in self.fields if field.has_flag)


CONV_EMFORMER = Kind(
    "conv-emformer",
    1,
    "conv_emformer_transducer",
    (
        Field("num_encoder_layers", 1, 12),
        Field("memory_size", 2, 0, minimum=0),
        Field("cnn_module_kernel", 3, 31),
        Field("left_context_length", 4, 32, divisor=SUBSAMPLING, multiple=SUBSAMPLING, minimum=0),
        Field("chunk_length", 5, 32, multiple=SUBSAMPLING),
        Field("right_context_length", 6, 8, minimum=0),
        Field("encoder_dim", 7, 512),
    ),
)

LSTM = Kind(
    "lstm",
    3,
    "lstm_transducer",
    (
        Field("num_encoder_layers", 1, 12),
        Field("encoder_dim", 2, 512),
        Field("rnn_hidden_size", 3, 1024),
    ),
)

ZIPFORMER = Kind(
    "zipformer",
    2,
    "pruned_transducer_stateless7_streaming",
    (
        Field("decode_chunk_len", 1, 32, multiple=2),
        Field("num_left_chunks", 2, 4),
        Field("pad_length", 3, 7, minimum=0, has_flag=False),
        Field("version", 15, 1, minimum=0, has_flag=False),
        Field("num_encoder_layers", 16, (2, 4, 3, 2, 4)),
        Field("encoder_dims", 17, (384,) * 5),
        Field("attention_dims", 18, (192,) * 5),
        Field("zipformer_downsampling_factors", 19, (1, 2, 4, 8, 2)),
        Field("cnn_module_kernels", 20, (31,) * 5),
    ),
)

KINDS = (CONV_EMFORMER, LSTM, ZIPFORMER)

FLAG_NAMES = frozenset(field.name for kind in KINDS for field in kind.flags)
"""Names of all flags that become metadata, of any kind."""

OTHER_FLAGS = frozenset(
    (
        "aux_layer_period",
        "avg",
        "bpe_model",
        "context_size",
        "decoder_dim",
        "dim_feedforward",
        "encoder_bin",
        "encoder_param",
        "encoder_unmasked_dims",
        "epoch",
        "exp_dir",
        "feature_dim",
        "feedforward_dims",
        "iter",
        "jit",
        "joiner_dim",
        "kind",
        "lang",
        "lang_dir",
        "model",
        "nhead",
        "num_decoder_layers",
        "short_chunk_size",
        "subsampling_factor",
        "tokens",
        "use_averaged_model",
        "vocab_size",
    )
)
"""Names that stand beside those flags and do not become metadata; some are spelled nearly the same."""


def named_kind(text: str) -> Kind | None:
    """The kind that a person means: ``ConvEmformer``, ``conv_emformer`` and ``conv-emformer`` are one."""
    folded = re.sub(r"[^a-z]", "", text.lower())
    return next((kind for kind in KINDS if kind.name.replace("-", "") == folded), None)


def numbered_kind(number: object) -> Kind | None:
    """The kind that key 0 names, or None; a float names none."""
    return next((kind for kind in KINDS if isinstance(number, int) and kind.number == number), None)


def kinds_with(names: Iterable[str]) -> tuple[Kind, ...]:
    """The kinds whose recipe knows all of these flags."""
    wanted = set(names)
    return tuple(kind for kind in KINDS if wanted <= {field.name for field in kind.flags})


def spell(value: Setting) -> str:
    """A value as it is written after its flag."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _int(raw: object) -> int:
    """Raises: ValueError when it is no whole number."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,10}\s*", raw):
        return int(raw)
    raise ValueError(f"is {_shown(raw)}, which is no whole number")


def _shown(raw: object) -> str:
    text = repr(raw)
    return text if len(text) <= 40 else f"{text[:40]}..."
