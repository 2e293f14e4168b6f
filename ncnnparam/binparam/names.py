"""``.id.h``: the names that a ``.param.bin`` lacks, as constants of C++ for the numbers that it has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ncnnparam.binparam.writer import custom_types
from ncnnparam.errors import ParseError

if TYPE_CHECKING:
    from ncnnparam.graph import Graph

_CONSTANT = re.compile(r"\bconst\s+int\s+(LAYER|BLOB|TYPEINDEX)_(\w+)\s*=\s*(\d{1,10})\s*;", re.ASCII)
_NO_WORD = re.compile(rb"[^0-9A-Za-z]")


@dataclass(frozen=True)
class IdNames:
    """What an ``.id.h`` says.

    Attributes:
        layers: Names of layers by number.
        blobs: Names of blobs by number.
        types: Names of custom layer types by number.
        file: Name of the file for messages, or None.
    """

    layers: dict[int, str] = field(default_factory=dict)
    blobs: dict[int, str] = field(default_factory=dict)
    types: dict[int, str] = field(default_factory=dict)
    file: str | None = None


def read_id_header(text: str, *, name: str | None = None) -> IdNames:
    """Reads the names out of an ``.id.h``. They are those of the model with ``_`` for special characters.

    Args:
        text: The whole file.
        name: File name for messages.

    Raises:
        ParseError: It has no constants of such a file, or two names for one number.
    """
    names = IdNames(file=name)
    tables = {"LAYER": names.layers, "BLOB": names.blobs, "TYPEINDEX": names.types}
    for match in _CONSTANT.finditer(text):
        kind, word, number = match[1], match[2], int(match[3])
        if tables[kind].setdefault(number, word) != word:
            line = text.count("\n", 0, match.start()) + 1
            message = f"{kind}_{word} and {kind}_{tables[kind][number]} are both {number}"
            raise ParseError(message, file=name, line=line, column=1, source_line=match.group())
    if not names.layers:
        message = "this is no .id.h: it has no line 'const int LAYER_... = ...;'"
        raise ParseError(message, file=name, hint="ncnn2mem and `ncnnparam convert --id-h` write such files")
    return names


def id_header(graph: Graph, prefix: str) -> str:
    """The ``.id.h`` of a graph, as ncnn2mem writes it.

    Args:
        graph: The graph.
        prefix: Name of the model: ``encoder`` gives the namespace ``encoder_param_id``.
    """
    word = sanitized(prefix)
    guard = f"NCNN_INCLUDE_GUARD_{word}_id_h"
    lines = [f"#ifndef {guard}", f"#define {guard}", f"namespace {word}_param_id {{"]
    lines += [f"const int {name} = {number};" for name, number in _constants(graph)]
    lines += [f"}} // namespace {word}_param_id", f"#endif // {guard}", ""]
    return "\n".join(lines)


def clashes(graph: Graph) -> list[str]:
    """The constants that the ``.id.h`` of a graph would have twice; no compiler takes such a header."""
    counts = Counter(name for name, _ in _constants(graph))
    return [name for name, count in counts.items() if count > 1]


def sanitized(name: str) -> str:
    """A name as a word of C++: each byte that is no ASCII letter or digit becomes ``_``."""
    return _NO_WORD.sub(b"_", name.encode("utf-8", "surrogateescape")).decode()


def _constants(graph: Graph) -> Iterator[tuple[str, int]]:
    numbers = {id(blob): index for index, blob in enumerate(graph.blobs)}
    for index, layer in enumerate(graph):
        yield f"LAYER_{sanitized(layer.name)}", index
        for blob in layer.outputs:
            yield f"BLOB_{sanitized(blob.name)}", numbers[id(blob)]
    for name, number in custom_types(graph).items():
        yield f"TYPEINDEX_{sanitized(name)}", number
