"""The 32-bit words that a ``.param.bin`` is made of, and a reader that trusts none of them.

magic, number of layers, number of blobs; for each layer the number of its type, how many inputs and outputs,
their numbers, and its params: ``id value``, ``-23300-id length values...`` for an array, ``-23400-id length
bytes`` for a string, which is padded to 4 bytes; ``-233`` ends them. All is little-endian.
"""

from __future__ import annotations

import struct

from ncnnparam.errors import ParseError

MAGIC = 7767517
END = -233
ARRAY_BASE = -23300
STRING_BASE = -23400
WORD = 4
"""Bytes of a word."""
LONGEST_STRING = 255
"""Bytes; ncnn refuses more."""


class BinParamError(ParseError):
    """Bytes that are no ``.param.bin``.

    Attributes:
        offset: Where, in bytes from the start of the file.
    """

    def __init__(self, message: str, offset: int, *, file: str | None, hint: str | None = None) -> None:
        super().__init__(f"at offset {offset}: {message}", file=file or "<bytes>", hint=hint)
        self.offset = offset


class Words:
    """A cursor over the bytes of a file. Nothing is set aside for a count before its bytes are there.

    Attributes:
        offset: Where the next word begins, in bytes.
    """

    def __init__(self, data: bytes | memoryview, file: str | None) -> None:
        self._data = memoryview(data)
        self._file = file
        self.offset = 0

    @property
    def left(self) -> int:
        """Number of bytes not yet read."""
        return len(self._data) - self.offset

    def integer(self, what: str) -> int:
        """The next word as an int32; ``what`` says in an error what was to be read."""
        return self.integers(1, what)[0]

    def integers(self, count: int, what: str) -> tuple[int, ...]:
        """The next words as int32."""
        return struct.unpack(f"<{count}i", self.take(count * WORD, what))

    def count(self, what: str, size: int = WORD) -> int:
        """A word that says how many things of at least ``size`` bytes follow."""
        start, count = self.offset, self.integer(f"the number of {what}")
        if count < 0:
            raise self.error(f"there cannot be {count} {what}", start)
        if count * size > self.left:
            raise self.error(f"{count} {what} are to follow, but only {self.left} bytes do", start)
        return count

    def take(self, size: int, what: str) -> memoryview:
        """The next bytes."""
        if size > self.left:
            raise self.error(f"the file ends where {what} should be", self.offset)
        taken = self._data[self.offset : self.offset + size]
        self.offset += size
        return taken

    def error(self, message: str, offset: int, hint: str | None = None) -> BinParamError:
        """An error about a place in this file."""
        return BinParamError(message, offset, file=self._file, hint=hint)
