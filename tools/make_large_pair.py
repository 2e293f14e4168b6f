"""Make a large pair with random weights, to measure with: about what a big streaming encoder is made of.

    python tools/make_large_pair.py large.param large.bin
    python tools/make_large_pair.py half.param half.bin --storage fp16
    python tools/make_large_pair.py int8.param int8.bin --int8
    python tools/make_large_pair.py small.param small.bin --megabytes 2 --width 32

Blocks of the kind of a Conformer (feed-forward, attention, convolution, feed-forward) are stacked until the
float32 weights have the size that was asked for. The pair loads in ncnn and runs: ``in0`` takes rows of
``--width`` numbers, ``out0`` gives as many rows. Weights are normal, so large that activations stay finite.
The same seed gives the same weights in every storage; with ``--int8`` those of InnerProduct, Convolution and
ConvolutionDepthWise are rounded to 8 bits, each output channel by its largest weight. Only one array is in
memory at a time.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from ncnnparam.graph import Blob, Graph, Layer
from ncnnparam.model import dump
from ncnnparam.ops import WeightArray, registry
from ncnnparam.stats import measure
from ncnnparam.weights import Storage, encode, wanted

STORAGES = {"fp32": Storage.FLOAT32, "fp16": Storage.FLOAT16}
WIDER = 4
"""How much wider than a block its feed-forward layers are."""
KERNEL = 31
INPUT_RANGE = 8.0
"""The largest number that an int8 layer is taken to read."""
SWISH, SUM, MULTIPLY = "Swish", 0, 2

Array = npt.NDArray[np.float32]


class Net:
    """A graph that grows; with ``int8`` its layers say that they compute in int8."""

    def __init__(self, width: int, *, int8: bool) -> None:
        self.graph = Graph()
        self.width = width
        self.int8 = int8
        self.end = self.graph.add("Input", "in0", outputs=["in0"]).outputs[0]

    def linear(self, name: str, source: Blob, inputs: int, outputs: int) -> Blob:
        """A fully connected layer over rows."""
        return self.add(
            "InnerProduct",
            name,
            source,
            num_output=outputs,
            bias_term=1,
            weight_data_size=inputs * outputs,
            **self.scales(2),
        )

    def pointwise(self, name: str, source: Blob, inputs: int, outputs: int) -> Blob:
        """A convolution with a kernel of 1 x 1."""
        return self.add(
            "Convolution",
            name,
            source,
            num_output=outputs,
            kernel_w=1,
            bias_term=1,
            weight_data_size=inputs * outputs,
            **self.scales(2),
        )

    def depthwise(self, name: str, source: Blob) -> Blob:
        """A convolution of each channel by itself along the width."""
        return self.add(
            "ConvolutionDepthWise",
            name,
            source,
            num_output=self.width,
            kernel_w=KERNEL,
            kernel_h=1,
            pad_left=KERNEL // 2,
            pad_top=0,
            bias_term=1,
            weight_data_size=KERNEL * self.width,
            group=self.width,
            **self.scales(1),
        )

    def scales(self, term: int) -> dict[str, int]:
        """The param that says which scales follow the weights of an int8 layer."""
        return {"int8_scale_term": term} if self.int8 else {}

    def add(self, type: str, name: str, *sources: Blob, **params: object) -> Blob:
        """A layer with one output."""
        return self.graph.add(type, name, inputs=sources, **params).outputs[0]

    def feed_forward(self, name: str) -> None:
        """Normalise, widen, narrow, add to what came in."""
        blob = self.normalise(f"{name}_norm")
        blob = self.linear(f"{name}_in", blob, self.width, WIDER * self.width)
        blob = self.add(SWISH, f"{name}_act", blob)
        blob = self.linear(f"{name}_out", blob, WIDER * self.width, self.width)
        self.end = self.add("BinaryOp", f"{name}_add", self.end, blob, op_type=SUM)

    def attention(self, name: str) -> None:
        """Attention of one head."""
        blob = self.normalise(f"{name}_norm")
        query, key, value = (
            self.linear(f"{name}_{part}", blob, self.width, self.width) for part in ("query", "key", "value")
        )
        blob = self.add("MatMul", f"{name}_scores", query, key, transB=1)
        blob = self.add(
            "BinaryOp", f"{name}_scale", blob, op_type=MULTIPLY, with_scalar=1, b=self.width**-0.5
        )
        blob = self.add("Softmax", f"{name}_softmax", blob, axis=1, fixbug0=1)
        blob = self.add("MatMul", f"{name}_mix", blob, value)
        blob = self.linear(f"{name}_out", blob, self.width, self.width)
        self.end = self.add("BinaryOp", f"{name}_add", self.end, blob, op_type=SUM)

    def convolution(self, name: str) -> None:
        """Convolution over time, which becomes the width of a picture with one row."""
        blob = self.normalise(f"{name}_norm")
        blob = self.add("Permute", f"{name}_turn", blob, order_type=1)
        blob = self.add("Reshape", f"{name}_picture", blob, w=-1, h=1, c=self.width)
        blob = self.pointwise(f"{name}_in", blob, self.width, 2 * self.width)
        blob = self.add("GLU", f"{name}_gate", blob, axis=0)
        blob = self.depthwise(f"{name}_depthwise", blob)
        blob = self.add(SWISH, f"{name}_act", blob)
        blob = self.pointwise(f"{name}_out", blob, self.width, self.width)
        blob = self.add("Reshape", f"{name}_matrix", blob, w=-1, h=self.width)
        blob = self.add("Permute", f"{name}_back", blob, order_type=1)
        self.end = self.add("BinaryOp", f"{name}_add", self.end, blob, op_type=SUM)

    def normalise(self, name: str) -> Blob:
        """What every part of a block begins with."""
        return self.add("LayerNorm", name, self.end, affine_size=self.width)

    def block(self, number: int) -> None:
        """One block."""
        self.feed_forward(f"block{number}_first")
        self.attention(f"block{number}_attention")
        self.convolution(f"block{number}_convolution")
        self.feed_forward(f"block{number}_second")


def large_graph(size: int, width: int, *, int8: bool = False) -> Graph:
    """A graph whose weights have about ``size`` bytes in float32.

    What the blocks leave is filled by the last layer: it gives as many numbers a row as there is room for.
    """
    one = Net(width, int8=False)
    one.block(0)
    block = 4 * measure(one.graph, {}).total.parameters.known
    net = Net(width, int8=int8)
    blocks = max(size // block, 0)
    if not blocks:
        raise SystemExit(f"{size:,} bytes are less than one block of width {width}, which has {block:,}")
    for number in range(blocks):
        net.block(number)
    rest = (size - blocks * block) // (4 * (width + 1))
    net.linear("last", net.normalise("last_norm"), width, max(rest, 1))
    net.graph.rename_blob("last", "out0")
    return net.graph


def write_weights(graph: Graph, file: BinaryIO, storage: Storage, seed: int) -> None:
    """Writes the arrays of a graph one after the other."""
    for layer in graph:
        for array, numbers in weights_of(layer, seed):
            kind = stored_as(layer, array, storage)
            file.write(encode(array, numbers, kind).raw)


def weights_of(layer: Layer, seed: int) -> Iterator[tuple[WeightArray, npt.ArrayLike]]:
    """The arrays of a layer with their numbers; int8 layers get rounded ones and the scales."""
    scales: Array | None = None
    for array in wanted(layer):
        if array.name == "weight_data_int8_scales":
            assert scales is not None
            yield array, scales
        elif array.name == "bottom_blob_int8_scales":
            yield array, np.full(array.shape, 127 / INPUT_RANGE, np.float32)
        elif array.name == "weight_data" and is_int8(layer):
            rows = random_numbers(layer, array, seed).reshape(array.shape[0], -1)
            scales = 127 / np.abs(rows).max(axis=1)
            yield array, np.rint(rows * scales[:, np.newaxis]).astype(np.int8).reshape(array.shape)
        else:
            yield array, random_numbers(layer, array, seed)


def random_numbers(layer: Layer, array: WeightArray, seed: int) -> Array:
    """Normal numbers that depend on the seed and the names alone; a matrix keeps the size of what it maps."""
    name = f"{layer.name}.{array.name}".encode()
    generator = np.random.default_rng([seed, zlib.crc32(name)])
    inputs = array.count // array.shape[0]
    numbers = generator.standard_normal(array.shape, dtype=np.float32)
    numbers *= np.float32(inputs**-0.5 if inputs > 1 else 0.1)
    return numbers


def stored_as(layer: Layer, array: WeightArray, storage: Storage) -> Storage:
    """How an array is stored in the file."""
    if array.kind == "raw":
        return Storage.RAW
    return Storage.INT8 if is_int8(layer) else storage


def is_int8(layer: Layer) -> bool:
    """Whether a layer computes in int8."""
    layer_type = registry.get(layer.type)
    return layer_type is not None and layer_type.is_int8(layer.params)


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="make_large_pair.py"
    )
    parser.add_argument("param", type=Path, help="where to write the .param file")
    parser.add_argument("bin", type=Path, help="where to write the .bin file")
    parser.add_argument(
        "--megabytes", type=float, default=296, help="size of the float32 weights (default 296)"
    )
    parser.add_argument("--width", type=int, default=512, help="numbers in a row of a block (default 512)")
    parser.add_argument("--storage", choices=STORAGES, default="fp32", help="how to store float weights")
    parser.add_argument("--int8", action="store_true", help="round the weights that ncnn takes in int8")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(words)
    graph = large_graph(round(options.megabytes * 1e6), options.width, int8=options.int8)
    dump(graph, options.param)
    with options.bin.open("wb") as file:
        write_weights(graph, file, STORAGES[options.storage], options.seed)
    size = options.bin.stat().st_size
    print(f"{options.param}: {graph.layer_count} layers; {options.bin}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
