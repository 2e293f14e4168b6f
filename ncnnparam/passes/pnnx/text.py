"""Reads ``.pnnx.param``: pnnx's own graph, in PyTorch's terms, written beside the ``.ncnn.param``.

It has what the lowering to ncnn lost: the shapes of reshapes and blobs, the axes as PyTorch counts them, the
types of constants. A line is ``type name inputs outputs blobs... key=value...``; ``@key=(2,3)f32`` is an
array in the ``.pnnx.bin``, ``#blob=(1,?,80)f32`` the shape of a blob, ``$argument=blob`` a name for an input.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from ncnnparam.errors import ParseError
from ncnnparam.syntax import read_text

MAX_SIZE = 64 << 20
"""The largest text read, in bytes; that of the full-size Zipformer has 0.5 MB."""
MAX_OPERATORS = 1_000_000
"""The most operators, as many as ncnn takes layers."""
MAX_OUTPUTS = 4096
"""The most outputs of a network: tuples of tuples may unfold into very many."""

MAGIC = "7767517"
_OUTPUT = "pnnx.Output"
_TUPLES = ("prim::TupleConstruct", "prim::ListConstruct")
_LIST = re.compile(r"\[@0(,@[0-9]+)*\]")
_INT = re.compile(r"[+-]?[0-9]{1,18}")
_SHAPE = re.compile(r"\(([0-9?,]*)\)([a-z][a-z0-9]*)")


@dataclass(frozen=True, slots=True)
class Tensor:
    """Shape and type of numbers.

    Attributes:
        shape: Sizes as PyTorch orders them, the batch axis among them; None where pnnx does not know a size.
        dtype: pnnx's word for the type, ``f32`` or ``i64`` for example.
    """

    shape: tuple[int | None, ...]
    dtype: str

    @property
    def sizes(self) -> tuple[int, ...] | None:
        """The shape if all of it is known."""
        known = tuple(size for size in self.shape if size is not None)
        return known if len(known) == len(self.shape) else None


@dataclass(frozen=True)
class Operator:
    """One line of a ``.pnnx.param``.

    Attributes:
        type: ``Tensor.reshape`` for example.
        name: Its name; what pnnx could not lower keeps it in the ``.ncnn.param``.
        inputs: Names of the blobs it reads.
        outputs: Names of the blobs it writes.
        params: Text of each param by key.
        arrays: Shape and type of each array by key.
        line: Where it stands, from 1.
    """

    type: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    params: Mapping[str, str] = field(default_factory=dict)
    arrays: Mapping[str, Tensor] = field(default_factory=dict)
    line: int = 0

    def ints(self, key: str) -> tuple[int, ...] | None:
        """A param as ints, ``(1,-1,80)`` or ``3``; None if it is not there or is something else."""
        text = self.params.get(key, "")
        words = text[1:-1].split(",") if text.startswith("(") and text.endswith(")") else [text]
        return tuple(map(int, words)) if all(_INT.fullmatch(word) for word in words) else None

    def int(self, key: str) -> int | None:
        """A param as one int, or None."""
        found = self.ints(key)
        return found[0] if found is not None and len(found) == 1 else None


class PnnxGraph:
    """The operators of a ``.pnnx.param``, in their order, with what is known of the blobs between them."""

    def __init__(self, operators: Sequence[Operator], shapes: Mapping[str, Tensor]) -> None:
        self.operators = tuple(operators)
        self.shapes = shapes
        self._named = {operator.name: operator for operator in operators}
        self._producers = {blob: operator for operator in operators for blob in operator.outputs}
        self._readers: dict[str, list[Operator]] = {}
        for operator in operators:
            for blob in dict.fromkeys(operator.inputs):
                self._readers.setdefault(blob, []).append(operator)

    def operator(self, name: str, type: str | None = None) -> Operator | None:
        """The operator of a name, and of a type if one is given; or None."""
        found = self._named.get(name)
        return found if found is not None and type in (None, found.type) else None

    def find(self, type: str) -> list[Operator]:
        """The operators of a type, in order."""
        return [operator for operator in self.operators if operator.type == type]

    def producer(self, blob: str) -> Operator | None:
        """The operator that writes a blob, or None."""
        return self._producers.get(blob)

    def readers(self, blob: str) -> list[Operator]:
        """The operators that read a blob, each once."""
        return self._readers.get(blob, [])

    def sizes(self, blob: str) -> tuple[int, ...] | None:
        """The shape of a blob if pnnx knows all of it."""
        tensor = self.shapes.get(blob)
        return tensor.sizes if tensor is not None else None

    @property
    def outputs(self) -> list[str]:
        """The blobs that the network gives, tuples and lists unfolded: the N-th is ncnn's ``outN``.

        At most ``MAX_OUTPUTS`` of them.
        """
        found: list[str] = []
        pending = [blob for end in reversed(self.find(_OUTPUT)) for blob in reversed(end.inputs)]
        while pending and len(found) < MAX_OUTPUTS:
            blob = pending.pop()
            maker = self.producer(blob)
            if maker is not None and _is_tuple(maker):
                pending += reversed(maker.inputs)
            else:
                found.append(blob)
        return found


def read_pnnx(path: str | os.PathLike[str], *, max_size: int = MAX_SIZE) -> PnnxGraph:
    """Reads a ``.pnnx.param`` file.

    Raises:
        FileError: It cannot be read, or it is too large.
        ParseError: It is no ``.pnnx.param``.
    """
    return parse_pnnx(read_text(path, max_size=max_size), name=os.fspath(path))


def parse_pnnx(text: str, *, name: str | None = None) -> PnnxGraph:
    """Reads the text of a ``.pnnx.param``.

    Args:
        text: The whole file.
        name: File name for messages.

    Raises:
        ParseError: It is no ``.pnnx.param``, its count of operators is wrong, or its blobs do not link up.
    """
    lines = text.splitlines()
    count = _header(lines, name)
    records = [(number, line) for number, line in enumerate(lines[2:], start=3) if line.strip()]
    if len(records) != count:
        message = f"the file declares {count} operators and has {len(records)}"
        raise ParseError(message, file=name, line=2, column=1, source_line=lines[1], hint=_AGAIN)
    reader = _Reader(name)
    for number, line in records:
        reader.read(number, line)
    return PnnxGraph(reader.operators, reader.shapes)


_AGAIN = "this file is written by pnnx: take it as it was, or convert again"


def _header(lines: Sequence[str], name: str | None) -> int:
    if not lines or lines[0].strip() != MAGIC:
        hint = "give the .pnnx.param that pnnx wrote beside the .ncnn.param"
        raise ParseError("this is no .pnnx.param file", file=name, expected=[MAGIC], hint=hint)
    counts = lines[1].split() if len(lines) > 1 else []
    if len(counts) != 2 or not all(re.fullmatch("[0-9]{1,7}", word) for word in counts):
        line = lines[1] if len(lines) > 1 else ""
        raise ParseError("the second line must be two counts", file=name, line=2, column=1, source_line=line)
    count = int(counts[0])
    if count > MAX_OPERATORS:
        raise ParseError(f"{count} operators are more than {MAX_OPERATORS}", file=name, line=2)
    return count


class _Reader:
    def __init__(self, name: str | None) -> None:
        self.operators: list[Operator] = []
        self.shapes: dict[str, Tensor] = {}
        self._name = name
        self._written: set[str] = set()

    def read(self, number: int, line: str) -> None:
        words = line.split()
        if len(words) < 4 or not (words[2].isdecimal() and words[3].isdecimal()):
            self._fail("an operator is: type name inputs outputs blobs... key=value...", number, line)
        if "=" in words[0]:
            self._fail(f"'{words[0]}' is no type of an operator", number, line)
        inputs, outputs = (int(word[:9]) for word in words[2:4])
        blobs, rest = words[4 : 4 + inputs + outputs], words[4 + inputs + outputs :]
        if len(blobs) < inputs + outputs or any(re.match(r"[#@$]?\w+=", blob) for blob in blobs):
            self._fail(f"this operator needs {inputs} + {outputs} blobs", number, line)
        operator = Operator(
            words[0],
            words[1],
            tuple(blobs[:inputs]),
            tuple(blobs[inputs:]),
            *self._params(rest, number, line),
            number,
        )
        self._link(operator, line)
        self.operators.append(operator)

    def _params(
        self, words: Sequence[str], number: int, line: str
    ) -> tuple[dict[str, str], dict[str, Tensor]]:
        params: dict[str, str] = {}
        arrays: dict[str, Tensor] = {}
        for word in words:
            key, equals, value = word.partition("=")
            if not key or not equals:
                self._fail(f"'{word}' is no key=value", number, line)
            if key[0] in "#@":
                tensor = _tensor(value)
                if tensor is None:
                    self._fail(f"'{value}' is no shape such as (1,80)f32", number, line)
                (self.shapes if key[0] == "#" else arrays)[key[1:]] = tensor
            else:
                params[key] = value
        return params, arrays

    def _link(self, operator: Operator, line: str) -> None:
        for blob in operator.inputs:
            if blob not in self._written:
                self._fail(f"the blob '{blob}' is not written above", operator.line, line)
        for blob in operator.outputs:
            if blob in self._written:
                self._fail(f"the blob '{blob}' is written twice", operator.line, line)
            self._written.add(blob)

    def _fail(self, message: str, number: int, line: str) -> NoReturn:
        raise ParseError(message, file=self._name, line=number, column=1, source_line=line, hint=_AGAIN)


def _tensor(text: str) -> Tensor | None:
    match = _SHAPE.fullmatch(text)
    if match is None:
        return None
    words = [word for word in match[1].split(",") if word]
    if not all(word == "?" or _INT.fullmatch(word) for word in words):
        return None
    return Tensor(tuple(None if word == "?" else int(word) for word in words), match[2])


def _is_tuple(operator: Operator) -> bool:
    return operator.type in _TUPLES or (
        operator.type == "pnnx.Expression" and _LIST.fullmatch(operator.params.get("expr", "")) is not None
    )


def numbered_outputs(pnnx: PnnxGraph) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The name in ncnn and the shape in PyTorch of each output whose shape pnnx knows."""
    for number, blob in enumerate(pnnx.outputs):
        sizes = pnnx.sizes(blob)
        if sizes is not None:
            yield f"out{number}", sizes
