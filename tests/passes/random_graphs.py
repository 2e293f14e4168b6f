"""Random models that run: layers of two dozen types put behind one another, with shapes known on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

from hypothesis import strategies as st

from ncnnparam import Model, dumps, loads

from .optimize.nets import header, model

Shape = tuple[int, ...]
Draw = st.DrawFn

_MOST_STEPS = 14
_FUNCTIONS = ("ReLU", "ReLU 0=0.1", "Sigmoid", "TanH", "HardSwish", "Mish", "AbsVal", "Softmax")
_FUNCTIONS += ("Clip 0=-0.5 1=0.8", "Clip 0=0.1 1=2.0", "Dropout", "Dropout 0=0.5")
_FUNCTIONS += ("Permute", "Padding", "Concat", "Noop", "Power")
_SCALARS = ("0=0 1=1 2=0.0", "0=1 1=1 2=0.0", "0=2 1=1 2=1.0")
_SCALARS += ("0=2 1=1 2=0.75", "0=7 1=1 2=1.0", "0=3 1=1 2=2.0")
_ACTIVATIONS = ("", "9=1", "9=2 -23310=1,0.1", "9=3 -23310=2,-0.5,0.5", "9=4")
_ORDERS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
"""What Permute makes of (c, h, w), by ``order_type``."""


@dataclass
class Net:
    """Lines of a model, and the shapes of its blobs as numpy orders them."""

    lines: list[str] = field(default_factory=list)
    shapes: dict[str, Shape] = field(default_factory=dict)

    def add(self, type: str, inputs: list[str], params: str, shape: Shape) -> str:
        """A layer of one output, which has its name."""
        name = f"{type.lower()}{len(self.lines)}"
        self.lines.append(f"{type} {name} {len(inputs)} 1 {' '.join(inputs)} {name} {params}")
        self.shapes[name] = shape
        return name

    def constant(self, *shape: int) -> str:
        """A constant of random numbers."""
        return self.add("MemoryData", [], _sizes(shape), shape)


@st.composite
def models(draw: Draw) -> tuple[Model, dict[str, Shape]]:
    """A model with weights, and the shapes of its inputs."""
    net = Net()
    inputs: dict[str, Shape] = {}
    for number in range(draw(st.integers(1, 2))):
        shape = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)))
        # of an input of which nothing is stated, an InnerProduct is taken to make a vector (docs/optimize.md)
        stated = _sizes(shape) if len(shape) == 2 or draw(st.booleans()) else ""
        inputs[f"in{number}"] = net.shapes[f"in{number}"] = shape
        net.lines.append(f"Input in{number} 0 1 in{number} {stated}")
    for _ in range(draw(st.integers(1, _MOST_STEPS))):
        # mostly on with what was made last, so that chains come about
        blobs = [name for name in net.shapes if not name.startswith("memorydata")]
        blob = draw(st.sampled_from([*blobs, *blobs[-1:] * 2 * len(blobs)]))
        _steps(draw, net, blob)
    graph = loads(header("\n".join(net.lines))).graph
    graph.split_fanout()
    text = "\n".join(dumps(graph).splitlines()[2:])
    return model(text, draw(st.integers(0, 99))), inputs


def _steps(draw: Draw, net: Net, blob: str) -> None:
    """Puts one thing behind a blob: a layer, or a few that belong together."""
    shape = net.shapes[blob]
    kinds = [_function, _scalar, _constant, _pair, _linear, _block, _reshape, _per_channel, _repeat]
    kinds += {1: [_point], 2: [_turn], 3: [_block, _convolution, _pooling, _turn, _mean, _gate]}[len(shape)]
    draw(st.sampled_from(kinds))(draw, net, blob)


def _function(draw: Draw, net: Net, blob: str) -> None:
    type, _, params = draw(st.sampled_from(_FUNCTIONS)).partition(" ")
    net.add(type, [blob], params, net.shapes[blob])


def _scalar(draw: Draw, net: Net, blob: str) -> None:
    net.add("BinaryOp", [blob], draw(st.sampled_from(_SCALARS)), net.shapes[blob])


def _constant(draw: Draw, net: Net, blob: str) -> None:
    """An operation with a constant: one number, one for each channel, or all."""
    shape = net.shapes[blob]
    sizes = draw(st.sampled_from([(1,), shape[:1], shape[:1] + (1,) * (len(shape) - 1), shape]))
    inputs = [blob, net.constant(*sizes)]
    if draw(st.booleans()):
        inputs.reverse()
    net.add("BinaryOp", inputs, draw(st.sampled_from(["0=0", "0=1", "0=2", "0=4"])), shape)


def _pair(draw: Draw, net: Net, blob: str) -> None:
    """An operation with another blob of the same shape, or with itself."""
    shape = net.shapes[blob]
    other = draw(st.sampled_from([name for name, its in net.shapes.items() if its == shape]))
    type, params = draw(st.sampled_from([("BinaryOp", "0=0"), ("BinaryOp", "0=2"), ("Eltwise", "0=1")]))
    net.add(type, [blob, other], params, shape)


def _linear(draw: Draw, net: Net, blob: str) -> None:
    """InnerProduct: of each row of a matrix, of all numbers of everything else."""
    shape, count = net.shapes[blob], draw(st.integers(1, 4))
    size = shape[-1] if len(shape) == 2 else prod(shape)
    bias, act = draw(st.integers(0, 1)), draw(st.sampled_from(_ACTIVATIONS))
    params = f"0={count} 1={bias} 2={count * size} {act}"
    net.add("InnerProduct", [blob], params, (shape[0], count) if len(shape) == 2 else (count,))


def _block(draw: Draw, net: Net, blob: str) -> None:
    """A layer with weights, and what can go into it."""
    first = {1: _point, 2: _linear, 3: _convolution}[len(net.shapes[blob])]
    for step in (first, draw(st.sampled_from([_per_channel, _constant, _scalar])), _function):
        step(draw, net, blob)
        blob = list(net.shapes)[-1]


def _reshape(draw: Draw, net: Net, blob: str) -> None:
    shape = net.shapes[blob]
    size = prod(shape)
    kind = draw(st.sampled_from(["Flatten", "vector", "matrix", "picture", "same"]))
    if kind == "Flatten":
        net.add("Flatten", [blob], "", (size,))
    elif kind == "vector":
        net.add("Reshape", [blob], draw(st.sampled_from(["0=-1", f"0={size}"])), (size,))
    elif kind == "matrix":
        net.add("Reshape", [blob], f"0=-1 1={shape[0]}", (shape[0], size // shape[0]))
    elif kind == "picture":
        net.add("Reshape", [blob], f"0=1 1=-1 2={shape[-1]}", (shape[-1], size // shape[-1], 1))
    else:
        net.add("Reshape", [blob], _sizes((-1, *shape[1:])), shape)


def _per_channel(draw: Draw, net: Net, blob: str) -> None:
    shape = net.shapes[blob]
    count = shape[0]
    kinds = [("BatchNorm", f"0={count}"), ("Scale", f"0={count} 1=1"), ("Scale", f"0={count}")]
    type, params = draw(st.sampled_from([*kinds, ("PReLU", f"0={count}"), ("PReLU", "0=1")]))
    net.add(type, [blob], params, shape)


def _repeat(draw: Draw, net: Net, blob: str) -> None:
    """The same twice, from one blob."""
    type, _, params = draw(st.sampled_from(_FUNCTIONS)).partition(" ")
    one, two = (net.add(type, [blob], params, net.shapes[blob]) for _ in range(2))
    net.add("BinaryOp", [one, two], "0=2", net.shapes[blob])


def _point(draw: Draw, net: Net, blob: str) -> None:
    """A Convolution of a vector."""
    count, (size,) = draw(st.integers(1, 4)), net.shapes[blob]
    act = draw(st.sampled_from(_ACTIVATIONS))
    net.add("Convolution", [blob], f"0={count} 1=1 5=1 6={count * size} {act}", (count,))


def _turn(draw: Draw, net: Net, blob: str) -> None:
    shape = net.shapes[blob]
    order = draw(st.integers(0, 5 if len(shape) == 3 else 1))
    axes = _ORDERS[order] if len(shape) == 3 else ((0, 1), (1, 0))[order]
    made = net.add("Permute", [blob], f"0={order}", tuple(shape[axis] for axis in axes))
    if draw(st.booleans()):
        back = {3: 4, 4: 3}.get(order, order)
        net.add("Permute", [made], f"0={back}", shape)


def _convolution(draw: Draw, net: Net, blob: str) -> None:
    channels, *sizes = net.shapes[blob]
    kernel, bias = draw(st.sampled_from([1, 3])), draw(st.integers(0, 1))
    act, depthwise = draw(st.sampled_from(_ACTIVATIONS)), draw(st.booleans())
    count = channels if depthwise else draw(st.integers(1, 4))
    weights = count * kernel**2 * (1 if depthwise else channels)
    params = f"0={count} 1={kernel} 4={kernel // 2} 5={bias} 6={weights} {act}"
    type = "ConvolutionDepthWise" if depthwise else "Convolution"
    net.add(type, [blob], f"{params} 7={count}" if depthwise else params, (count, *sizes))


def _pooling(draw: Draw, net: Net, blob: str) -> None:
    channels, height, width = net.shapes[blob]
    kind = draw(st.integers(0, 1))
    size = draw(st.sampled_from(["whole", "1", "2"]))
    if size == "whole":
        net.add("Pooling", [blob], f"0={kind} 4=1", (channels,))
    elif size == "1":
        net.add("Pooling", [blob], f"0={kind} 1=1 2=1 5=1", net.shapes[blob])
    elif min(height, width) > 1:
        net.add("Pooling", [blob], f"0={kind} 1=2 2=1 5=1", (channels, height - 1, width - 1))


def _mean(draw: Draw, net: Net, blob: str) -> None:
    channels, height, _ = net.shapes[blob]
    if draw(st.booleans()):
        net.add("Reduction", [blob], "0=3 1=0 -23303=2,1,2 5=1", (channels,))
    else:
        made = net.add("Reduction", [blob], "0=3 1=0 -23303=1,-1 5=1", (channels, height))
        net.add("Reduction", [made], "0=3 1=0 -23303=1,1 5=1", (channels,))


def _gate(draw: Draw, net: Net, blob: str) -> None:
    """What a squeeze-and-excitation block does: a factor for each channel, from the means."""
    channels, *_ = shape = net.shapes[blob]
    pooled = net.add("Pooling", [blob], "0=1 4=1", (channels,))
    gate = net.add("Convolution", [pooled], f"0={channels} 1=1 5=1 6={channels**2} 9=4", (channels,))
    if draw(st.booleans()):
        gate = net.add("Reshape", [gate], f"0=1 1=1 2={channels}", (channels, 1, 1))
    inputs = [blob, gate] if draw(st.booleans()) else [gate, blob]
    net.add("BinaryOp", inputs, "0=2", shape)


def _sizes(shape: Shape) -> str:
    """The params of an Input, a MemoryData or a Reshape that state a shape."""
    return " ".join(f"{id}={size}" for id, size in zip(range(len(shape)), reversed(shape), strict=True))
