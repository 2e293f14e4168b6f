"""Knows the files that people hand over in place of a ``.param``, to tell them what they hold."""

from __future__ import annotations

import re
from typing import NamedTuple


class Foreign(NamedTuple):
    """What a file is, and what to do about it."""

    message: str
    hint: str


_REGENERATE = "convert the original model again, with pnnx for example"

# The first bytes of each format, in the order they are tried.
_MAGIC: tuple[tuple[bytes, Foreign], ...] = (
    (
        (7767517).to_bytes(4, "little"),
        Foreign(
            "this is a .param.bin file, the binary form",
            "convert it first: ncnnparam convert IN.param.bin OUT.param",
        ),
    ),
    (
        b"version https://git-lfs.github.com/spec/",
        Foreign("this is a git-lfs pointer, not the file itself", "run `git lfs pull` in its checkout"),
    ),
    (b"\x1f\x8b", Foreign("this file is compressed with gzip", "unpack it first: gunzip FILE")),
    (
        b"PK\x03\x04",
        Foreign("this is a zip file, maybe a TorchScript .pt", "convert it with pnnx, or unpack it"),
    ),
    (
        b"\x80\x02",
        Foreign("this is a Python pickle, maybe a checkpoint", "export it, then convert it with pnnx"),
    ),
    (
        b"\xef\xbb\xbf",
        Foreign("the file begins with a byte order mark, which ncnn refuses", "save it without BOM"),
    ),
    (b"\xff\xfe", Foreign("this is UTF-16 text", "save it as UTF-8")),
)
# the first element of an fp16, bf16 or int8 weight file is the tag of its storage
_WEIGHT_TAGS = (0x00000000, 0x01306B47, 0x01348B83, 0x000D4B38, 0x0002C056)


def recognise(text: str) -> Foreign | None:
    """What a text is that does not begin like a ``.param`` file, or None."""
    head = text[:4096].encode("utf-8", "surrogateescape")
    if not head.strip():
        return Foreign("the file is empty", "a .param file has a magic number, two counts and layers")
    for magic, found in _MAGIC:
        if head.startswith(magic):
            return found
    if (page := _html(head)) is not None:
        return page
    if head[:1] == b"\x08" and (b"pytorch" in head or b"onnx" in head or head[2:3] == b"\x12"):
        return Foreign("this is an ONNX model", "convert it with pnnx")
    tag = int.from_bytes(head[:4], "little")
    if tag in _WEIGHT_TAGS[1:] or b"\0" in head or head.count(b"\n") * 400 < len(head) - 400:
        if tag in _WEIGHT_TAGS:
            return Foreign("this is a weight file (.bin)", "give the .param file that belongs to it")
        return Foreign("this is no text, maybe a weight file (.bin)", "give the .param file")
    lines = head.splitlines()
    is_counts = re.fullmatch(rb"\s*[0-9]+(\s+[0-9]+)?\s*", lines[0])
    has_layers = len(lines) == 1 or len(lines[1].split()) >= 4
    if is_counts and has_layers and int(lines[0].split()[0]) != 7767517:
        return Foreign(
            "this .param is from before 2018 and has no magic number; ncnn refuses it", _REGENERATE
        )
    return None


def recognise_dialect(text: str) -> Foreign | None:
    """What a text is that begins like a ``.param`` file and goes on in another language, or None."""
    if re.search(r"^pnnx\.Input\s", text[:4096], re.MULTILINE):
        hint = "this is a .pnnx.param, pnnx's own graph; ncnn reads the .ncnn.param beside it"
        return Foreign("this is a .pnnx.param file", hint)
    return None


def recognise_weights(head: bytes) -> Foreign | None:
    """What a file is that was given as weights and is none, by its first bytes; or None."""
    if re.match(rb"\s*7767517\s", head):
        return Foreign("this is a .param text, not weights", "were the .param and the .bin swapped?")
    found = next((found for magic, found in _MAGIC if head.startswith(magic)), None)
    return _html(head) if found is None else found


def _html(head: bytes) -> Foreign | None:
    if re.match(rb"\s*<(!doctype|html|\?xml)", head, re.IGNORECASE):
        return Foreign("this is an HTML or XML page, not the file itself", "download the raw file")
    return None
