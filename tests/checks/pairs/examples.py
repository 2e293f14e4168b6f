"""A pair that breaks each rule, as the rules' pages show it."""

from __future__ import annotations

import struct

from .nets import FLOAT, QUANTISED, float_data, int8_data


def _with_nan() -> bytes:
    data = bytearray(float_data("<f4"))
    data[4:12] = struct.pack("<2f", float("nan"), float("inf"))
    return bytes(data)


def _with_zeros() -> bytes:
    data = bytearray(float_data("<f4"))
    data[4 + 18 * 4 : 4 + 36 * 4] = bytes(18 * 4)
    return bytes(data)


EXAMPLES: dict[str, tuple[str, bytes]] = {
    "NP601": (FLOAT, b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 426\n"),
    "NP602": (FLOAT.replace("2=96", "2=-96"), float_data()),
    "NP603": (FLOAT, float_data()[:40] + b"\x12\x34\x56\x3d" + float_data()[40:]),
    "NP604": (FLOAT, float_data()[:300]),
    "NP605": (FLOAT, float_data() + bytes(4)),
    "NP606": (FLOAT.replace("4 4", "5 5") + "MyLayer      mine 1 1 out0 out1\n", float_data()),
    "NP607": (FLOAT, _with_nan()),
    "NP608": (FLOAT, _with_zeros()),
    "NP609": (QUANTISED.replace("8=2", "8=2 1=-1", 1), int8_data()),
}
"""By code: the text of model.param and the content of model.bin."""
