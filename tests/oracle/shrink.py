"""Cut a failing text down to what makes it fail."""

from __future__ import annotations

import re
from collections.abc import Callable

_LINES = re.compile(rb"[^\n]*\n|[^\n]+")
_WORDS = re.compile(rb"\s*\S+|\s+")


def shrink(text: bytes, fails: Callable[[bytes], bool]) -> bytes:
    """Leave out lines, then words, in ever smaller groups, as long as the rest still fails."""
    for pieces in (_LINES, _WORDS):
        text = _shrink(pieces.findall(text), fails)
    return text


def _shrink(pieces: list[bytes], fails: Callable[[bytes], bool]) -> bytes:
    size = len(pieces) // 2
    while size:
        start = 0
        while start < len(pieces):
            rest = pieces[:start] + pieces[start + size :]
            if rest and fails(b"".join(rest)):
                pieces = rest
            else:
                start += size
        size //= 2
    return b"".join(pieces)
