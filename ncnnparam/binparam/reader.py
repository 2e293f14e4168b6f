"""``.param.bin`` to graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ncnnparam.binparam.names import IdNames
from ncnnparam.binparam.words import (
    ARRAY_BASE,
    END,
    LONGEST_STRING,
    MAGIC,
    STRING_BASE,
    WORD,
    Words,
)
from ncnnparam.errors import ParseError
from ncnnparam.graph import graph_from_syntax
from ncnnparam.ops import LayerType, ParamSpec, registry
from ncnnparam.ops.bits import as_float, looks_like_float
from ncnnparam.ops.type_index import CUSTOM, MOST_CUSTOM, name_of
from ncnnparam.syntax import MAX_COUNT, Param, Value, parse
from ncnnparam.syntax.values import ID_RANGE

if TYPE_CHECKING:
    from ncnnparam.graph import Graph

_SMALLEST_LAYER = 4 * WORD  # type, number of inputs, number of outputs, end of the params


class Guess(NamedTuple):
    """A param that the layer type is not known to have, so that its kind was guessed by its value.

    Attributes:
        layer: Name of the layer.
        id: Id of the param.
        offset: Where it is in the file, in bytes.
    """

    layer: str
    id: int
    offset: int


class Reading(NamedTuple):
    """What a ``.param.bin`` says.

    Attributes:
        graph: The graph.
        guesses: Params whose kind nobody knows.
        leftover: Bytes behind the last layer, which ncnn does not look at.
    """

    graph: Graph
    guesses: list[Guess]
    leftover: int


def loads(data: bytes | memoryview, names: IdNames | None = None, *, name: str | None = None) -> Graph:
    """The graph of a ``.param.bin``; see ``read``, which also tells what had to be guessed."""
    return read(data, names, name=name).graph


def read(data: bytes | memoryview, names: IdNames | None = None, *, name: str | None = None) -> Reading:
    """Reads a ``.param.bin``.

    Args:
        data: The whole file.
        names: What its ``.id.h`` says. Without, layers are named by type and number, blobs by number.
        name: File name for messages.

    Raises:
        BinParamError: It is no such file, is broken, or says what no ``.param`` can say.
        ParseError: The names are those of another model.
    """
    return _Reader(Words(data, name), names or IdNames()).read()


class _Reader:
    """Turns words into lines of a ``.param`` text, which is the one way to a graph."""

    def __init__(self, words: Words, names: IdNames) -> None:
        self.words = words
        self.names = names
        self.guesses: list[Guess] = []
        self.blob_count = 0
        self.blobs = _Names(names.blobs)
        self.layers = _Names(names.layers)

    def read(self) -> Reading:
        if self.words.integer("the magic number") != MAGIC:
            hint = "a .param.bin begins with the bytes dd 85 76 00"
            raise self.words.error("this is no .param.bin", 0, hint)
        start = self.words.offset
        layer_count, self.blob_count = self.words.integers(2, "the numbers of layers and blobs")
        if layer_count < 0 or self.blob_count < 0:
            message = f"there cannot be {layer_count} layers and {self.blob_count} blobs"
            raise self.words.error(message, start)
        if layer_count * _SMALLEST_LAYER > self.words.left:
            message = f"{layer_count} layers are to follow, but only {self.words.left} bytes do"
            raise self.words.error(message, start, "the file was cut off")
        if max(layer_count, self.blob_count) > MAX_COUNT:
            message = (
                f"{layer_count} layers and {self.blob_count} blobs are more than ncnn takes, {MAX_COUNT:,}"
            )
            raise self.words.error(message, start)
        self._check_names(layer_count)
        lines = [f"{MAGIC}\n{layer_count} {self.blob_count}\n"]
        lines += [self._layer(index) for index in range(layer_count)]
        return Reading(graph_from_syntax(parse("".join(lines))), self.guesses, self.words.left)

    def _check_names(self, layer_count: int) -> None:
        known = self.names.layers
        if known and (len(known) != layer_count or max(known) >= layer_count):
            message = f"it names {len(known)} layers, and the model has {layer_count}"
            raise ParseError(message, file=self.names.file, hint="use the .id.h made with the .param.bin")

    def _layer(self, index: int) -> str:
        type_name = self._type()
        input_count = self.words.count("inputs")
        output_count = self.words.count("outputs")
        inputs = [self._blob("an input") for _ in range(input_count)]
        outputs = [self._blob("an output") for _ in range(output_count)]
        name = self.layers.of(index, f"{type_name.lower()}_{index}")
        params = self._params(name, registry.get(type_name))
        head = f"{type_name:<24} {name:<24} {input_count} {output_count}"
        return " ".join([head, *inputs, *outputs, *params]) + "\n"

    def _type(self) -> str:
        start = self.words.offset
        index = self.words.integer("the type of a layer")
        if CUSTOM <= index < CUSTOM + MOST_CUSTOM:
            return self.names.types.get(index, f"Custom{index}")
        name = name_of(index)
        if name is None:
            message = f"there is no layer type of number {index}"
            hint = f"ncnn 1.0.20261020 has 0 to 109, and a program may add types from {CUSTOM} on"
            raise self.words.error(message, start, hint)
        return name

    def _blob(self, what: str) -> str:
        start = self.words.offset
        index = self.words.integer(what)
        if not 0 <= index < self.blob_count:
            message = f"{what} is blob {index}, and there are {self.blob_count} blobs, from 0"
            raise self.words.error(message, start)
        return self.blobs.of(index, f"{index}")

    def _params(self, layer: str, layer_type: LayerType | None) -> list[str]:
        texts: list[str] = []
        while True:
            start = self.words.offset
            key = self.words.integer("a param or the end of the params")
            if key == END:
                return texts
            id = key if key > ARRAY_BASE else (STRING_BASE if key <= STRING_BASE else ARRAY_BASE) - key
            if id not in ID_RANGE:
                raise self.words.error(f"{key} is the id of no param, array or string", start)
            spec = layer_type.param(id) if layer_type is not None else None
            value, guessed = self._value(key, spec)
            if guessed:
                self.guesses.append(Guess(layer, id, start))
            try:
                texts.append(Param.make(id, value).text)
            except ValueError as error:
                hint = "did the .param this was made from have another kind of value there?"
                raise self.words.error(f"layer '{layer}', param {id}: {error}", start, hint) from None

    def _value(self, key: int, spec: ParamSpec | None) -> tuple[Value, bool]:
        """A value, and whether nobody knows its kind."""
        if key <= STRING_BASE:
            return self._string(), False
        if key <= ARRAY_BASE:
            words = self.words.integers(self.words.count("elements"), "an array")
            if spec is not None and spec.type == "array" and spec.items is not None:
                return _numbers(words, is_float=spec.items == "float"), False
            # all or none: what no float can be is an int, and there are no arrays of both
            is_float = any(words) and all(not word or looks_like_float(word) for word in words)
            return _numbers(words, is_float=is_float), (spec is None or spec.type != "array") and bool(words)
        word = self.words.integer("the value of a param")
        if spec is not None and spec.type in ("int", "float"):
            return (as_float(word) if spec.type == "float" else word), False
        return (as_float(word) if looks_like_float(word) else word), True

    def _string(self) -> str:
        start = self.words.offset
        size = self.words.count("bytes of a string", 1)
        if size > LONGEST_STRING:
            raise self.words.error(f"a string has at most {LONGEST_STRING} bytes, not {size}", start)
        data = self.words.take(size + -size % WORD, "a string")
        return bytes(data[:size]).decode("utf-8", "surrogateescape")


class _Names:
    """Names by number: those that are known, each made unique, and made-up ones."""

    def __init__(self, known: dict[int, str]) -> None:
        self._known = known
        self._first = {name: index for index, name in reversed(known.items())}
        self._given: dict[int, str] = {}
        self._taken = set(known.values())

    def of(self, index: int, otherwise: str) -> str:
        """The name of a number, always the same."""
        if index not in self._given:
            self._given[index] = self._new(index, otherwise)
        return self._given[index]

    def _new(self, index: int, otherwise: str) -> str:
        name = self._known.get(index)
        if name is None:
            return self._free(otherwise)
        return name if self._first[name] == index else self._free(f"{name}_{index}")

    def _free(self, name: str) -> str:
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name


def _numbers(words: tuple[int, ...], *, is_float: bool) -> tuple[int | float, ...]:
    return tuple(as_float(word) for word in words) if is_float else words
