"""Batch axes of ``Reshape`` (params 12 and 13, new in 2026): made axes like any other.

pnnx takes the heads of an attention for a batch. ncnn of July 2026 keeps such an axis outside the shape of a
blob; older ones, sherpa-ncnn's among them, ignore the two params without a word. Here the axis becomes the
first one of the blobs: a Permute moves it there behind the Reshape that opens such a region, and back before
the one that closes it; layers between the two count their axes one further.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.ops import registry
from ncnnparam.passes.order import from_front, order_type, permuted_axes, to_front
from ncnnparam.passes.pnnx.base import Repair, layers_of, readers
from ncnnparam.passes.pnnx.shapes import axis_param, size_params, stated_sizes

if TYPE_CHECKING:
    from ncnnparam.graph import Blob, Graph, Layer
    from ncnnparam.model import Model
    from ncnnparam.passes.base import PassResult

NO_AXIS = 233
"""ncnn's default for the two params."""
_IN, _OUT = "input_batch_axis", "output_batch_axis"
INPUT_AXIS, OUTPUT_AXIS = 12, 13
"""Ids of the two params."""
_ANYWHERE = {
    *(
        "Split",
        "MatMul",
        "BinaryOp",
        "Eltwise",
        "UnaryOp",
        "Dropout",
        "Noop",
        "Sigmoid",
        "TanH",
        "ReLU",
        "ELU",
    ),
    *("SELU", "GELU", "Swish", "Mish", "Clip", "HardSigmoid", "HardSwish", "Softplus"),
}
"""Types that do the same whatever axes come first."""
_PERMUTE = "Permute"


class ExplicitBatch(Repair):
    """Turn batch axes that only new runtimes know (Reshape 12/13) into Reshape and Permute."""

    name = "pnnx-explicit-batch"

    def repair(self, model: Model, result: PassResult) -> None:
        """Rewrites all such Reshapes and the layers between them, or none if one of those cannot be."""
        found = [layer for layer in layers_of(model.graph, "Reshape") if _stated(layer)]
        if not found:
            return
        regions = _Regions(model.graph)
        for layer, reason in regions.problems:
            result.decline(reason, layer.name)
        if regions.problems:
            at_fault = {layer.name for layer, _ in regions.problems}
            others = [layer.name for layer in found if layer.name not in at_fault]
            if others:
                result.decline("left too, for all of them are rewritten or none", *others)
            return
        for layer, rank in regions.inside:
            _count_further(layer, rank)
        for layer in found:
            result.change(regions.rewrite(layer), layer.name)


class _Regions:
    """Which blobs have such an axis, found layer by layer.

    Attributes:
        inside: Layers that read such a blob, those Reshapes aside, and how many axes their blobs will have.
        problems: Layers that would compute something else, and why.
    """

    def __init__(self, graph: Graph) -> None:
        self.inside: list[tuple[Layer, int]] = []
        self.problems: list[tuple[Layer, str]] = []
        self._graph = graph
        self._ranks: dict[str, int] = {}  # number of axes of the blobs that have one more, by name
        self._paired: dict[str, int] = {}  # blobs whose batch axis the next Reshape takes back: it stays put
        for layer in graph:
            self._visit(layer)

    def rewrite(self, layer: Layer) -> str:
        """Rewrites one Reshape, and says what became of it."""
        opens, sizes = self._opens(layer), list(stated_sizes(layer) or ())
        before, behind = layer[_IN], layer[_OUT]
        source, out = layer.inputs[0], layer.outputs[0]
        said = "a Reshape"
        if isinstance(before, int) and before != NO_AXIS and source.name in self._ranks:
            axes = from_front(before, self._ranks[source.name])
            if before and self._paired.get(source.name) != before:
                self._graph.insert_before(layer, "Permute", order_type=order_type(axes))
                said = "a Permute and a Reshape"
        if isinstance(behind, int) and behind != NO_AXIS and not opens:
            del sizes[behind]  # of size one, so it is no axis
        self._graph.replace(layer, "Reshape", params=size_params(sizes))
        if isinstance(behind, int) and opens and behind and out.name not in self._paired:
            self._graph.insert_on(out, "Permute", order_type=order_type(to_front(behind, len(sizes))))
            said = "a Reshape and a Permute"
        return said

    def _visit(self, layer: Layer) -> None:
        ranks = [self._ranks[blob.name] for blob in layer.inputs if blob.name in self._ranks]
        if _stated(layer):
            self._visit_reshape(layer, bool(ranks))
        elif ranks:
            self._visit_inside(layer, max(ranks))

    def _visit_reshape(self, layer: Layer, inside: bool) -> None:
        sizes, axis = stated_sizes(layer), layer[_OUT]
        if sizes is None or not sizes:
            self.problems.append((layer, "a Reshape of a batch axis whose sizes are an expression"))
        elif axis != NO_AXIS and not (isinstance(axis, int) and 0 <= axis < len(sizes)):
            self.problems.append((layer, f"there is no axis {axis} among {len(sizes)}"))
        elif inside and not 0 <= _int(layer, _IN) < self._ranks.get(layer.inputs[0].name, 0):
            self.problems.append((layer, "a Reshape inside of a batch"))
        elif self._opens(layer):
            self._ranks[layer.outputs[0].name] = len(sizes)
            if all(_stated(user) and user[_IN] == axis for user in readers(layer.outputs[0])):
                self._paired[layer.outputs[0].name] = _int(layer, _OUT)

    def _visit_inside(self, layer: Layer, rank: int) -> None:
        self.inside.append((layer, rank))
        plain = [blob for blob in layer.inputs if blob.name not in self._ranks]
        if any(_constant_rank(blob) != rank for blob in plain):
            self.problems.append((layer, "a blob with a batch axis meets one without"))
        elif not _can_count_further(layer, rank):
            self.problems.append((layer, f"{layer.type} inside of a batch"))
        else:
            self._ranks.update((blob.name, rank) for blob in layer.outputs)
        if layer.type == "Split" and layer.inputs[0].name in self._paired:
            self._paired.update((blob.name, self._paired[layer.inputs[0].name]) for blob in layer.outputs)

    def _opens(self, layer: Layer) -> bool:
        """Whether there is a batch behind a Reshape: an axis of size one is none."""
        sizes, axis = stated_sizes(layer), layer[_OUT]
        return sizes is not None and isinstance(axis, int) and axis != NO_AXIS and sizes[axis] != 1


def _stated(layer: Layer) -> bool:
    whole = layer.type == "Reshape" and bool(layer.inputs and layer.outputs)
    return whole and any(layer[name] != NO_AXIS for name in (_IN, _OUT))


def _int(layer: Layer, name: str) -> int:
    """A param that is an int; -1 if it is something else, which is no axis and no order."""
    value = layer[name]
    return value if isinstance(value, int) else -1


def _constant_rank(blob: Blob) -> int | None:
    """How many axes a constant has; None for what is no constant."""
    layer = blob.source.producer
    if layer is None or layer.type != "MemoryData":
        return None
    return len([size for size in stated_sizes(layer) or () if size])


def _can_count_further(layer: Layer, rank: int) -> bool:
    """Whether a layer does the same with one axis more, once its axes are counted one further."""
    if layer.type == _PERMUTE:
        return permuted_axes(_int(layer, "order_type"), rank - 1) is not None
    unknown = registry.get(layer.type) is None  # PyTorch's layers count that axis already
    return unknown or layer.type in _ANYWHERE or axis_param(layer) is not None


def _count_further(layer: Layer, rank: int) -> None:
    """Counts the axes of a layer one further; those from the end stay.

    Args:
        layer: The layer.
        rank: How many axes its blobs will have.
    """
    if layer.type == _PERMUTE:
        axes = permuted_axes(_int(layer, "order_type"), rank - 1)
        layer["order_type"] = order_type((0, *(axis + 1 for axis in axes or ())))
        return
    name = axis_param(layer)
    value = layer[name] if name is not None else None
    if name is not None and isinstance(value, int):
        layer[name] = _further(value)
    elif name is not None and isinstance(value, tuple):
        layer[name] = [_further(int(axis)) for axis in value]


def _further(axis: int) -> int:
    return axis + 1 if axis >= 0 else axis
