"""What is asked of every ncnn runtime about the text language, broken files and weights: a tiny model each.

``FEATURES`` pairs a name, which the rules of ``ncnnparam/checks/rules/target.py`` use, with a model and the
numbers that come out if the runtime reads it as it is written.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_FP16, _BF16, _INT8 = 0x01306B47, 0x01348B83, 0x000D4B38
_TWO, _THREE, _FOUR = [1.0, 2.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0]
_ROWS = [[10.0, 20.0, 30.0, 40.0], [50.0, 60.0, 70.0, 80.0]]
_PLANES = [[[x + 100.0 * c for x in row] for row in _ROWS] for c in range(3)]


@dataclass(frozen=True)
class Model:
    """A small model and what to feed it.

    Attributes:
        layers: The layer lines, without the ``Input`` lines.
        inputs: Blobs to feed; whole numbers go in as int32.
        weights: The ``.bin``, or None for a file without.
        outputs: Blobs to fetch; none if it is only loaded.
        counts: Layer and blob count, if not the right ones.
        newline: What ends a line.
    """

    layers: Sequence[str]
    inputs: Mapping[str, Any] = field(default_factory=lambda: {"in0": [-1.0]})
    weights: bytes | None = None
    outputs: Sequence[str] = ("out0",)
    counts: tuple[int, int] | None = None
    newline: str = "\n"

    @property
    def text(self) -> str:
        """The ``.param`` file."""
        lines = [f"Input {name} 0 1 {name}" for name in self.inputs] + list(self.layers)
        words = [line.split() for line in lines]
        blobs = len(self.inputs) + sum(int(line[3]) for line in words[len(self.inputs) :])
        counts = self.counts or (len(lines), blobs)
        return self.newline.join(["7767517", f"{counts[0]} {counts[1]}", *lines, ""])

    @property
    def question(self) -> dict[str, Any]:
        """The question for ``child.py``."""
        weights = None if self.weights is None else self.weights.hex()
        return {
            "param": self.text,
            "bin": weights,
            "inputs": dict(self.inputs),
            "outputs": list(self.outputs),
        }


@dataclass(frozen=True)
class Feature:
    """One thing that releases do differently.

    Attributes:
        name: Its name in ``versions.json``.
        model: What to ask with.
        expected: What comes out if it is read as written; None if it only counts whether the file is taken.
    """

    name: str
    model: Model
    expected: Any = None

    def verdict(self, said: Mapping[str, Any]) -> str:
        """An answer of ``child.py`` in a word: reads, misreads, accepts, refuses or crashes."""
        if "signal" in said:
            return "crashes"
        if said.get("error") or said["load"] != 0 or said["model"] not in (0, None):
            return "refuses"
        if self.expected is None:
            return "accepts"
        return "reads" if same(said["outputs"], [self.expected]) else "misreads"


def same(one: Any, other: Any) -> bool:
    """Whether two answers, or parts of them, are the same but for rounding."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return one == other or abs(one - other) <= 1e-3 * max(abs(one), abs(other), 1e-3)
    return bool(one == other)


def _relu(name: str, params: str, slope: float | None, newline: str = "\n") -> Feature:
    """Params of a ReLU that is fed -1, with a layer behind it that must not be lost."""
    layers = (f"ReLU relu 1 1 in0 a {params}", "ReLU last 1 1 a out0 0=1.0")
    return Feature(name, Model(layers, newline=newline), None if slope is None else [-slope])


def _sum(name: str, coefficients: str, expected: float | None) -> Feature:
    """Params of an Eltwise that adds 8 and 4 with coefficients."""
    model = Model((f"Eltwise sum 2 1 in0 in1 out0 0=1 {coefficients}",), {"in0": [8.0], "in1": [4.0]})
    return Feature(name, model, None if expected is None else [expected])


def _loads(
    name: str, *layers: str, counts: tuple[int, int] | None = None, weights: bytes | None = None
) -> Feature:
    return Feature(name, Model(layers, counts=counts, weights=weights, outputs=()))


def _product(name: str, params: str, weights: bytes, expected: list[float]) -> Feature:
    model = Model((f"InnerProduct fc 1 1 in0 out0 0=1 {params}",), {"in0": [1.0, 2.0, 3.0, 4.0]}, weights)
    return Feature(name, model, expected)


def _add(name: str, data: str, weights: list[float], given: list[Any], add: Callable[..., float]) -> Feature:
    """A constant added to planes: ``add`` tells what a number at a place becomes. One plane goes in flat."""
    layers = (f"MemoryData data 0 1 data {data}", "BinaryOp add 2 1 in0 data out0 0=0")
    expected = [
        [[add(x, c, h, w) for w, x in enumerate(row)] for h, row in enumerate(plane)]
        for c, plane in enumerate(given)
    ]
    flat = len(given) == 1
    model = Model(layers, {"in0": given[0] if flat else given}, struct.pack(f"<{len(weights)}f", *weights))
    return Feature(name, model, expected[0] if flat else expected)


def _bits(*numbers: float) -> bytes:
    """Numbers as bfloat16."""
    return b"".join(struct.pack("<f", number)[2:] for number in numbers)


FEATURES: tuple[Feature, ...] = (
    # the extent of params
    Feature("tab-between-params", Model(("BinaryOp mul 1 1 in0 out0 0=2 1=1\t2=0.5",)), [-0.5]),
    _relu("tab-before-params", "\t0=0.5", 0.5),
    _relu("continued-params", "\n0=0.5", 0.5),
    _relu("crlf", "0=0.5", 0.5, "\r\n"),
    # numbers
    _relu("float-suffix", "0=0.5f", 0.5),
    _relu("number-of-16-characters", "0=0.50000000000000", 0.5),
    _relu("fraction-of-10-digits", "0=0.9876543211", 0.9876543211),
    _relu("whole-part-over-32-bits", "0=12345678901.0", 12345678901.0),
    _relu("point-first", "0=.5", 0.5),
    _relu("point-last", "0=2.", 2.0),
    _relu("int-for-float", "0=2", 2.0),
    # strings, on a layer that does not read them
    _relu("bare-string", "0=0.5 5=abc", 0.5),
    _relu("bare-string-before-params", "5=abc 0=0.5", 0.5),
    _relu("quoted-string", '0=0.5 5="abc"', 0.5),
    _relu("quoted-string-before-params", '5="abc" 0=0.5', 0.5),
    _relu("long-quoted-string-before-params", '5="a,b=c d and more" 0=0.5', 0.5),
    _relu("quoted-string-of-14-characters", '0=0.5 5="12345678901234"', 0.5),
    Feature(
        "quoted-string-before-crlf",
        Model(('Reshape r 1 1 in0 out0 6="2,2"',), {"in0": [1.0, 2.0, 3.0, 4.0]}, newline="\r\n"),
        [[1.0, 2.0], [3.0, 4.0]],
    ),
    # arrays
    _sum("old-array", "-23301=2,0.5,0.25", 5.0),
    _sum("ints-for-floats", "-23301=2,3,2", 32.0),
    _sum("empty-array", "-23301=0", 12.0),
    _sum("new-array", "1=0.5,0.25", 5.0),
    Feature(
        "new-array-of-one", Model(("ExpandDims e 1 1 in0 out0 3=0,",), {"in0": [1.0, 2.0]}), [[1.0, 2.0]]
    ),
    _sum("new-array-int-after-float", "1=0.5,3", 16.0),
    _sum("new-array-float-after-int", "1=2,0.5", 18.0),
    _sum("old-array-of-both-kinds", "-23301=2,2,0.5", 18.0),
    _sum("array-shorter-than-declared", "-23301=3,0.5,0.25", None),
    # ids
    _relu("id-over-31", "0=0.5 32=1", None),
    _loads("id-over-31-in-last-layer", "ReLU relu 1 1 in0 out0 0=0.5 32=1"),
    _loads("number-of-16-characters-in-last-layer", "ReLU relu 1 1 in0 out0 0=0.50000000000000"),
    _loads("quoted-string-in-last-layer", 'ReLU relu 1 1 in0 out0 5="abc"'),
    _loads("bare-string-in-last-layer", "ReLU relu 1 1 in0 out0 5=abc"),
    _loads("quoted-string-of-14-characters-in-last-layer", 'ReLU relu 1 1 in0 out0 5="12345678901234"'),
    _relu("shape-hint", "0=0.5 -23330=4,1,1,1,1", 0.5),
    _relu("short-shape-hint", "0=0.5 -23330=2,1,1", None),
    _relu("feature-mask", "0=0.5 31=1", 0.5),
    _relu("float-feature-mask", "0=0.5 31=1.5", None),
    # the graph
    _loads("layer-count-too-large", "ReLU relu 1 1 in0 out0", counts=(3, 2)),
    _loads("blob-count-too-small", "ReLU relu 1 1 in0 out0", counts=(2, 1)),
    _loads("undefined-input", "ReLU relu 1 1 nowhere out0", counts=(2, 2)),
    _loads("input-order", "ReLU relu 1 1 a out0", "ReLU first 1 1 in0 a", counts=(3, 3)),
    _loads("unknown-type", "NoSuchLayer x 1 1 in0 out0"),
    _loads("second-input", "Input in1 0 1 in1", "ReLU relu 2 1 in0 in1 out0"),
    _loads("softmax-without-age-mark", "Softmax s 1 1 in0 out0 0=1"),
    _loads("reduction-without-age-mark", "Reduction r 1 1 in0 out0 0=0 1=0 -23303=1,1"),
    # weights
    _product("fp16-weights", "2=4", struct.pack("<I4e", _FP16, 1, 2, 3, 4), [30.0]),
    _product("bf16-weights", "2=4", struct.pack("<I", _BF16) + _bits(1, 2, 3, 4), [30.0]),
    _product("int8-weights", "2=4 8=2", struct.pack("<I4b2f", _INT8, 1, 2, 3, 4, 1, 1), [30.0]),
    _loads("bin-too-short", "InnerProduct fc 1 1 in0 out0 0=1 2=4", weights=bytes(12)),
    _loads("bin-too-long", "InnerProduct fc 1 1 in0 out0 0=1 2=4", weights=bytes(24)),
    # how a constant of MemoryData meets a blob of more dimensions
    _add("vector-along-channels", "0=3", _THREE, _PLANES, lambda x, c, h, w: x + 1 + c),
    _add("vector-along-width", "0=4", _FOUR, _PLANES, lambda x, c, h, w: x + 1 + w),
    _add("vector-along-rows", "0=2", _TWO, [_ROWS], lambda x, c, h, w: x + 1 + h),
    _add("vector-along-columns", "0=4", _FOUR, [_ROWS], lambda x, c, h, w: x + 1 + w),
    _add("cube-along-channels", "0=1 1=1 2=3", _THREE, _PLANES, lambda x, c, h, w: x + 1 + c),
    _add("cube-along-height", "0=1 1=2 2=1", _TWO, _PLANES, lambda x, c, h, w: x + 1 + h),
    _add("cube-along-width", "0=4 1=1 2=1", _FOUR, _PLANES, lambda x, c, h, w: x + 1 + w),
)
