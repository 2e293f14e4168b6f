"""Real ``.param`` texts, damaged in one or a few places.

A mutant is made from its seed and the list of source texts alone, so a number is enough to get it back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from . import spellings

Mutation = Callable[[Random, bytes], bytes]

_PARAM = re.compile(rb"(?<=[ \t])[-+]?\d+=[^ \t\r\n]*")
_WORD = re.compile(rb"[^ \t\r\n\v\f]+")
_HEAD = re.compile(rb"\s*(\S+)\s+(\S+)\s+(\S+)")


@dataclass(frozen=True)
class Mutant:
    """One damaged text and how it came about."""

    seed: int
    source: str
    steps: tuple[str, ...]
    text: bytes

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.source}: {', '.join(self.steps)}"


def make(seed: int, sources: Mapping[str, bytes]) -> Mutant:
    """The mutant of this seed: a source, mostly cut to its first layers, after one to three mutations."""
    rng = Random(seed)
    source = rng.choice(sorted(sources))
    text = sources[source]
    steps: list[str] = []
    if rng.random() < 0.8:
        text = shorten(text, rng.randint(1, 30))
        steps.append("shorten")
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        mutation = rng.choice(MUTATIONS)
        text = mutation(rng, text)
        steps.append(mutation.__name__)
    return Mutant(seed, source, tuple(steps), text)


def shorten(text: bytes, layers: int) -> bytes:
    """The first layers of a file whose layers stand one on a line, with the layer count to match."""
    lines = text.splitlines(keepends=True)
    counts = lines[1].split()
    if len(counts) != 2 or int(counts[0]) <= layers:
        return text
    return b"".join([lines[0], lines[1].replace(counts[0], b"%d" % layers, 1), *lines[2 : 2 + layers]])


# ---- bytes ---------------------------------------------------------------------------------------------


def replace_byte(rng: Random, text: bytes) -> bytes:
    place = rng.randrange(len(text) + 1)
    return text[:place] + rng.choice(spellings.BYTES) + text[place + 1 :]


def insert_bytes(rng: Random, text: bytes) -> bytes:
    place = rng.randrange(len(text) + 1)
    return text[:place] + rng.choice(spellings.BYTES) * rng.choice((1, 1, 1, 2, 5)) + text[place:]


def delete_bytes(rng: Random, text: bytes) -> bytes:
    place = rng.randrange(len(text) + 1)
    return text[:place] + text[place + rng.randint(1, 6) :]


def repeat_bytes(rng: Random, text: bytes) -> bytes:
    place = rng.randrange(len(text) + 1)
    return text[: place + rng.randint(1, 20)] + text[place:]


def cut_off(rng: Random, text: bytes) -> bytes:
    return text[: rng.randrange(len(text) + 1)]


def append_garbage(rng: Random, text: bytes) -> bytes:
    return text + rng.choice(spellings.GARBAGE)


# ---- lines ---------------------------------------------------------------------------------------------


def _on_lines(change: Callable[[Random, list[bytes]], None]) -> Mutation:
    def mutation(rng: Random, text: bytes) -> bytes:
        lines = text.splitlines(keepends=True) or [b""]
        change(rng, lines)
        return b"".join(lines)

    mutation.__name__ = change.__name__
    return mutation


@_on_lines
def delete_line(rng: Random, lines: list[bytes]) -> None:
    del lines[rng.randrange(len(lines))]


@_on_lines
def repeat_line(rng: Random, lines: list[bytes]) -> None:
    place = rng.randrange(len(lines))
    lines.insert(place, lines[place])


@_on_lines
def swap_lines(rng: Random, lines: list[bytes]) -> None:
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]


@_on_lines
def join_lines(rng: Random, lines: list[bytes]) -> None:
    place = rng.randrange(len(lines))
    lines[place] = lines[place].rstrip(b"\r\n") + rng.choice((b"", b" ", b"\t", b"\v"))


@_on_lines
def insert_line(rng: Random, lines: list[bytes]) -> None:
    lines.insert(rng.randrange(len(lines) + 1), rng.choice(spellings.LINES))


@_on_lines
def change_line_ends(rng: Random, lines: list[bytes]) -> None:
    end = rng.choice((b"\r\n", b"\r", b"\n\n", b" \n", b"\t\r\n", b"\v\n", b"\f\n", b"\n\r"))
    chosen = range(len(lines)) if rng.random() < 0.5 else [rng.randrange(len(lines))]
    for place in chosen:
        lines[place] = lines[place].rstrip(b"\r\n") + end


# ---- words ---------------------------------------------------------------------------------------------


def _replace(text: bytes, match: re.Match[bytes], new: bytes) -> bytes:
    return text[: match.start()] + new + text[match.end() :]


def _on_word(change: Callable[[Random, bytes], bytes]) -> Mutation:
    def mutation(rng: Random, text: bytes) -> bytes:
        words = list(_WORD.finditer(text))
        if not words:
            return text
        word = rng.choice(words)
        return _replace(text, word, change(rng, word[0]))

    mutation.__name__ = change.__name__
    return mutation


@_on_word
def delete_word(rng: Random, word: bytes) -> bytes:
    return b""


@_on_word
def repeat_word(rng: Random, word: bytes) -> bytes:
    return word + rng.choice(spellings.GAPS) + word


@_on_word
def change_word(rng: Random, word: bytes) -> bytes:
    return rng.choice(spellings.NAMES + spellings.NUMBERS + spellings.COUNTS)


@_on_word
def split_word(rng: Random, word: bytes) -> bytes:
    place = rng.randrange(len(word) + 1)
    return word[:place] + rng.choice(spellings.GAPS) + word[place:]


@_on_word
def break_line_at_word(rng: Random, word: bytes) -> bytes:
    return rng.choice((b"\n", b"\r\n", b"\r")) + word


def rename_everywhere(rng: Random, text: bytes) -> bytes:
    """A consistent renaming: legal names must stay legal, however odd."""
    words = [word for word in set(_WORD.findall(text)) if not re.fullmatch(rb"[-+\d.,=e]*", word)]
    if not words:
        return text
    old, new = rng.choice(sorted(words)), rng.choice(spellings.NAMES)
    return _WORD.sub(lambda word: new if word[0] == old else word[0], text)


# ---- header and counts -----------------------------------------------------------------------------------


def change_magic(rng: Random, text: bytes) -> bytes:
    head = _HEAD.match(text)
    return text[: head.start(1)] + rng.choice(spellings.MAGICS) + text[head.end(1) :] if head else text


def change_header_count(rng: Random, text: bytes) -> bytes:
    head = _HEAD.match(text)
    if not head:
        return text
    group = rng.choice((2, 3))
    return text[: head.start(group)] + _other_count(rng, head[group]) + text[head.end(group) :]


def header_on_one_line(rng: Random, text: bytes) -> bytes:
    head = _HEAD.match(text)
    return _replace(text, head, rng.choice(spellings.GAPS).join(head.groups())) if head else text


@_on_lines
def change_layer_count(rng: Random, lines: list[bytes]) -> None:
    place = rng.randrange(len(lines))
    words = list(_WORD.finditer(lines[place]))
    if len(words) >= 4:
        count = words[rng.choice((2, 3))]
        lines[place] = _replace(lines[place], count, _other_count(rng, count[0]))


def _other_count(rng: Random, count: bytes) -> bytes:
    if count.isdigit() and len(count) < 10 and rng.random() < 0.6:
        return rng.choice((b"%d", b"+%d", b"0%d", b"%031d", b"%032d")) % max(
            0, int(count) + rng.choice((-1, 0, 1, 2))
        )
    return rng.choice(spellings.COUNTS)


# ---- params ----------------------------------------------------------------------------------------------


def _on_param(change: Callable[[Random, bytes, bytes], bytes]) -> Mutation:
    def mutation(rng: Random, text: bytes) -> bytes:
        params = list(_PARAM.finditer(text))
        if not params:
            return text
        param = rng.choice(params)
        return _replace(text, param, change(rng, *param[0].split(b"=", 1)))

    mutation.__name__ = change.__name__
    return mutation


@_on_param
def change_value(rng: Random, id: bytes, value: bytes) -> bytes:
    return id + b"=" + rng.choice(spellings.VALUES)


@_on_param
def change_id(rng: Random, id: bytes, value: bytes) -> bytes:
    return rng.choice(spellings.IDS) + b"=" + value


@_on_param
def add_param(rng: Random, id: bytes, value: bytes) -> bytes:
    return id + b"=" + value + rng.choice(spellings.GAPS) + rng.choice(spellings.PARAMS)


@_on_param
def add_value(rng: Random, id: bytes, value: bytes) -> bytes:
    return rng.choice(spellings.IDS) + b"=" + rng.choice(spellings.VALUES) + b" " + id + b"=" + value


@_on_param
def change_element(rng: Random, id: bytes, value: bytes) -> bytes:
    """An element of an array, or the length of an old one, is changed, dropped or added."""
    elements = value.split(b",")
    place = rng.randrange(len(elements))
    elements[place : place + rng.choice((0, 1, 1))] = rng.choice(
        ([], [b"1"], [rng.choice(spellings.NUMBERS)])
    )
    return id + b"=" + b",".join(elements)


@_on_lines
def add_hint(rng: Random, lines: list[bytes]) -> None:
    """A shape hint or a feature mask, right or wrong, at the end of a layer."""
    place = rng.randrange(len(lines))
    content = lines[place].rstrip(b"\r\n")
    lines[place] = content + b" " + rng.choice(spellings.HINTS) + lines[place][len(content) :]


MUTATIONS: tuple[Mutation, ...] = (
    replace_byte,
    insert_bytes,
    delete_bytes,
    repeat_bytes,
    cut_off,
    append_garbage,
    delete_line,
    repeat_line,
    swap_lines,
    join_lines,
    insert_line,
    change_line_ends,
    delete_word,
    repeat_word,
    change_word,
    split_word,
    break_line_at_word,
    rename_everywhere,
    change_magic,
    change_header_count,
    header_on_one_line,
    change_layer_count,
    change_value,
    change_value,
    change_id,
    add_param,
    add_value,
    change_element,
    add_hint,
)
