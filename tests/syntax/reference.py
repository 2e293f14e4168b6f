"""The language by the grammar alone: every line, word and param comes from a parse by Lark.

Slow, and it knows no errors; the real parser must say the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from lark import Token, Tree

from ncnnparam.syntax import LayerLine, ParamFile
from ncnnparam.syntax.grammar import parser


@dataclass
class Spelled:
    """A file as Lark reads it: counts, and per record its words and the trees of its params."""

    counts: tuple[int, int]
    records: list[tuple[str, str, tuple[str, ...], tuple[str, ...], tuple[tuple[str, str], ...]]]


def tokens(text: str, rule: str) -> list[Token]:
    tree = parser("param").parse(text, start=rule)
    return [token for token in tree.children if isinstance(token, Token)]


def read(text: str) -> Spelled:
    """Reads a file without content behind its last record."""
    lines = [str(line) for line in tokens(text, "file")]
    assert "".join(lines) == text
    words = [(number, word) for number, line in enumerate(lines) for word in tokens(line, "words")]
    third, end = words[2][0], words[2][1].end_pos
    magic, layers, blobs = tokens("".join(lines[:third]) + lines[third][:end], "header")
    assert int(magic) == 7767517
    del words[:3]
    found = Spelled((int(layers), int(blobs)), [])
    while words:
        type, name, n_in, n_out = (word for _, word in words[:4])
        blobs_end = 4 + int(n_in) + int(n_out)
        last_line, last_word = words[blobs_end - 1]
        names = [str(word) for _, word in words[4:blobs_end]]
        rest = lines[last_line][last_word.end_pos :].strip(" \t\v\f\r\n")
        params = tuple(describe(str(token)) for token in tokens(rest, "params"))
        found.records.append(
            (str(type), str(name), tuple(names[: int(n_in)]), tuple(names[int(n_in) :]), params)
        )
        words = [(number, word) for number, word in words[blobs_end:] if number > last_line]
    return found


def describe(text: str) -> tuple[str, str]:
    """A param's text and the style that the rule ``param`` finds."""
    tree = parser("param").parse(text, start="param")
    if tree.data == "old_array":
        return text, "old array"
    value = tree.children[1]
    if isinstance(value, Tree):
        return text, "new array"
    if value.type == "JUNK":
        return text, "float" if any(char in ".eE" for char in value) else "int"
    return text, {"INT": "int", "FLOAT": "float", "STRING": "string", "QUOTED": "quoted"}[value.type]


def spelled(tree: ParamFile) -> Spelled:
    """What the real parser found, in the same form."""
    return Spelled(
        (tree.header.layer_count, tree.header.blob_count), [_record(layer) for layer in tree.layers]
    )


def _record(
    layer: LayerLine,
) -> tuple[str, str, tuple[str, ...], tuple[str, ...], tuple[tuple[str, str], ...]]:
    params = tuple((param.text, param.style.value) for param in layer.params)
    return layer.type, layer.name, layer.inputs, layer.outputs, params
