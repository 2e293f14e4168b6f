"""``.mem.h``: a model as two arrays of C++, to be compiled into a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ncnnparam.binparam.names import sanitized

_COLUMNS = 16  # bytes of the model in a line
_ALIGNED = """
#ifdef _MSC_VER
__declspec(align(4))
#else
__attribute__((aligned(4)))
#endif
"""


def mem_header(
    prefix: str, graph: bytes, weights: Iterable[bytes | memoryview] | None = None
) -> Iterator[bytes]:
    """The ``.mem.h`` of a model, as ncnn2mem writes it, in pieces.

    Args:
        prefix: Name of the model: ``encoder`` gives the arrays ``encoder_param_bin`` and ``encoder_bin``.
        graph: The ``.param.bin``.
        weights: The ``.bin`` in pieces, or None for a model without weights: C++ has no empty arrays.
    """
    word = sanitized(prefix)
    guard = f"NCNN_INCLUDE_GUARD_{word}_mem_h"
    yield f"#ifndef {guard}\n#define {guard}\n".encode()
    yield from _array(f"{word}_param_bin", [graph])
    if weights is not None:
        yield from _array(f"{word}_bin", weights)
    yield f"#endif // {guard}\n".encode()


def _array(name: str, pieces: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    yield f"{_ALIGNED}static const unsigned char {name}[] = {{\n".encode()
    for whole, rest in _lines(pieces):
        yield _text(whole) + (_text(rest)[:-1] if rest else b"")
    yield b"};\n"


def _lines(pieces: Iterable[bytes | memoryview]) -> Iterator[tuple[bytes, bytes]]:
    """The bytes cut where lines end; only the last pair has a rest."""
    rest = b""
    for piece in pieces:
        for start in range(0, len(piece), 1 << 20):
            block = rest + bytes(piece[start : start + (1 << 20)])
            end = len(block) - len(block) % _COLUMNS
            rest = block[end:]
            yield block[:end], b""
    yield b"", rest


def _text(data: bytes) -> bytes:
    """The bytes as ``0x12,`` each, in lines."""
    import numpy as np

    table = np.frombuffer(b"".join(b"0x%02x," % byte for byte in range(256)), np.uint8).reshape(256, -1)
    columns = min(_COLUMNS, len(data)) or 1
    lines = table[np.frombuffer(data, np.uint8)].reshape(-1, columns * table.shape[1])
    return np.pad(lines, ((0, 0), (0, 1)), constant_values=ord("\n")).tobytes()
