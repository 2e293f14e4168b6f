"""Layers that give what they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.errors import GraphError
from ncnnparam.graph.substitute import substitute
from ncnnparam.passes.base import Pass, PassResult
from ncnnparam.passes.optimize.groups import RuleGroup
from ncnnparam.passes.optimize.rewrites import LINEAR, ShapedRewrite
from ncnnparam.patterns import Match, Rewrite

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer
    from ncnnparam.model import Model


class EliminateDropout(Rewrite):
    """Takes out Dropouts that multiply by 1."""

    name = "eliminate-dropout"
    pattern = "Dropout dropout 1 1 x y  scale=1"
    replacement = "y = x"
    message = "it multiplies by 1"


class EliminatePooling1x1(ShapedRewrite):
    """Takes out Poolings with a window of one pixel."""

    name = "eliminate-pooling1x1"
    pattern = """
        Pooling pool 1 1 x y  global_pooling=0 adaptive_pooling=0 \
                              kernel_w=1 kernel_h=1 stride_w=1 stride_h=1 \
                              pad_left=0 pad_right=0 pad_top=0 pad_bottom=0
    """
    replacement = "y = x"
    message = "its window is one pixel"

    def check(self, match: Match) -> str | None:
        """Declines what is no picture: Pooling makes one of it."""
        blob = match.blobs["x"]
        rank = self.shapes.rank(blob)
        if rank == 3:
            return None
        return f"{blob.name} {_axes(rank)}, and Pooling gives 3"


class EliminateNoop(Pass):
    """Takes out Noops."""

    name = "eliminate-noop"

    def run(self, model: Model) -> PassResult:
        """Lets who reads an output of a Noop read the input instead.

        Inputs that are more than the outputs become outputs of the network.
        """
        result = PassResult()
        for noop in model.graph.find("Noop"):
            if not noop.inputs and any(blob.uses for blob in noop.outputs):
                result.decline("it has no input, and its output is read", noop.name)
            elif len(noop.outputs) > 1 and len(noop.outputs) != len(noop.inputs):
                result.decline(f"it has {len(noop.inputs)} inputs and {len(noop.outputs)} outputs", noop.name)
            else:
                self._take_out(model.graph, noop, result)
        return result

    def _take_out(self, graph: Graph, noop: Layer, result: PassResult) -> None:
        try:
            if len(noop.outputs) > 1:
                substitute(graph, [noop], [], dict(zip(noop.outputs, noop.inputs, strict=True)))
            else:
                graph.remove(noop, reconnect=bool(noop.inputs), keep=0 if noop.inputs else None)
        except GraphError as error:
            result.decline(error.message, noop.name)
        else:
            result.change("it does nothing", noop.name)


class EliminateIdentity(RuleGroup):
    """Takes out layers that change nothing, such as x + 0 and x * 1.

    Also Permutes that undo each other, and a ReLU of what is never negative.
    """

    name = "eliminate-identity"
    message = "changes nothing"
    rules = f"""
        --- sum
        BinaryOp n 1 1 x y  with_scalar!=0 op_type=add|sub b=0
        =>
        y = x

        --- product
        BinaryOp n 1 1 x y  with_scalar!=0 op_type=mul|div b=1
        =>
        y = x

        --- power
        Power n 1 1 x y  power=1 scale=1 shift=0
        =>
        y = x

        --- order
        Permute n 1 1 x y  order_type=0
        =>
        y = x

        --- shuffle
        ShuffleChannel n 1 1 x y  group=1 reverse=0
        =>
        y = x

        --- padding
        Padding n 1 1 x y  top=0 bottom=0 left=0 right=0 front=0 behind=0 per_channel_pad_data_size=0
        =>
        y = x

        --- concat
        Concat n 1 1 x y
        =>
        y = x

        --- undone     # these orders exchange two axes, whatever the number of axes
        Permute first  1 1 x y  order_type=1|2|5 order_type=?order
        Permute second 1 1 y z  order_type=?order
        =>
        z = x

        --- turned
        Permute first  1 1 x y  order_type=3
        Permute second 1 1 y z  order_type=4
        =>
        z = x

        --- turned-back
        Permute first  1 1 x y  order_type=4
        Permute second 1 1 y z  order_type=3
        =>
        z = x

        --- relu-of-relu
        ReLU first 1 1 x >y  slope=0
        ReLU n     1 1 y z
        =>
        *    first 1 1 x y  **first
        z = y

        --- relu-of-clip
        Clip first 1 1 x >y  min>=0
        ReLU n     1 1 y z
        =>
        *    first 1 1 x y  **first
        z = y

        --- relu-of-function
        Sigmoid|AbsVal|Softmax first 1 1 x >y
        ReLU n     1 1 y z
        =>
        *    first 1 1 x y  **first
        z = y

        --- relu-of-unaryop
        UnaryOp first 1 1 x >y  op_type=abs|square|sqrt|exp
        ReLU n     1 1 y z
        =>
        *    first 1 1 x y  **first
        z = y

        --- relu-of-activation
        {LINEAR} first * 1 xs >y  activation_type=1|4
        ReLU n     1 1 y z
        =>
        *    first * 1 xs y  **first
        z = y
    """


def _axes(rank: int | None) -> str:
    """The number of axes in words."""
    return "has an unknown number of axes" if rank is None else f"has {rank} axes"


PASSES = (EliminateNoop, EliminateDropout, EliminatePooling1x1, EliminateIdentity)
