"""The real ncnn as a judge of params and weights; see ``counting_server.py``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ncnnparam.ops import LayerType
from ncnnparam.ops.arrays import WeightArray
from ncnnparam.syntax import Param, Value

from ..oracle.served import Served

FLOAT32, FLOAT16, BFLOAT16 = 0, 0x01306B47, 0x01348B83
INT8, SCALED, TABLE = 0x000D4B38, 0x0002C056, 0x01010101
TAGS = (FLOAT32, FLOAT16, BFLOAT16, INT8, SCALED, TABLE)


@dataclass(frozen=True)
class Load:
    """What ncnn did with a layer.

    Attributes:
        accepted: ``load_param`` took the params.
        loaded: ``load_model`` and ``create_pipeline`` succeeded too.
        signal: The signal that ended the process, or None.
        reads: The bytes that each read asked for.
        messages: What ncnn printed.
    """

    accepted: bool
    loaded: bool
    signal: int | None
    reads: list[int]
    messages: list[str]


class Loader(Served):
    """A running ncnn; use as a context manager."""

    def __init__(self) -> None:
        super().__init__(Path(__file__).with_name("counting_server.py"))

    def load(self, line: str, tag: int = FLOAT32) -> Load:
        """Loads a net of one layer and its weights, with every tagged array stored as ``tag`` says."""
        return Load(**self.ask(line=line, tag=tag))


def line_of(layer_type: LayerType, params: Mapping[int, Value]) -> str:
    """A layer line with as few blobs as the type takes, but one where it takes any."""
    inputs, outputs = (
        arity.minimum if arity.maximum == 0 else max(arity.minimum, 1) for arity in layer_type.arity(params)
    )
    blobs = [f"in{i}" for i in range(inputs)] + [f"out{i}" for i in range(outputs)]
    words = [Param.make(id, value).text for id, value in params.items()]
    return " ".join([layer_type.name, "x", str(inputs), str(outputs), *blobs, *words])


def reads_of(array: WeightArray, tag: int) -> list[int]:
    """The reads that ncnn makes for an array, by the rules of its ``modelbin.cpp``."""
    if array.kind != "tagged":
        assert array.size is not None
        return [array.size]
    if tag in (FLOAT32, SCALED):
        return [4, 4 * array.count]
    if tag in (FLOAT16, BFLOAT16):
        return [4, _padded(2 * array.count)]
    return [4, *([1024] if tag == TABLE else []), _padded(array.count)]


def _padded(size: int) -> int:
    return -(-size // 4) * 4
