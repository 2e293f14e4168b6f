"""Splits that split nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.graph import SPLIT
from ncnnparam.graph.fanout import settle, tidy
from ncnnparam.graph.layer import is_split
from ncnnparam.passes.base import Pass, PassResult

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer
    from ncnnparam.model import Model

_AUTOMATIC = "_splitncnn"
"""Part of the names that ncnn's converters, and this library, give to outputs of Splits."""


class EliminateSplit(Pass):
    """Takes out Splits of one output or of another Split's output, and outputs that nobody reads.

    An output of a Split that nobody reads may be one of the network's: pnnx gives out so what is read inside
    too. It counts as such unless it has a name that a Split gives.
    """

    name = "eliminate-split"

    def run(self, model: Model) -> PassResult:
        """Narrows, merges and takes out Splits."""
        graph, result = model.graph, PassResult()
        for split in graph.find(SPLIT):
            if is_split(split) and split.graph is graph:
                self._drop_unread(graph, split, result)
        for split in graph.find(SPLIT):
            if is_split(split) and split.graph is graph:
                self._settle(graph, split, result)
        return result

    @staticmethod
    def _drop_unread(graph: Graph, split: Layer, result: PassResult) -> None:
        unread = [blob for blob in split.outputs if not blob.uses and _AUTOMATIC in blob.name]
        if len(unread) == len(split.outputs):
            if unread:
                result.decline("nobody reads its outputs, so they are the network's", split.name)
            return
        for blob in unread:
            name = split.name
            tidy(graph, blob)
            result.change(f"nobody reads {blob.name}", name)

    @staticmethod
    def _settle(graph: Graph, split: Layer, result: PassResult) -> None:
        name, outputs, above = split.name, split.outputs, split.inputs[0].producer
        settle(graph, split)
        if split.graph is graph:
            if len(outputs) == 1:
                result.decline(f"the output {outputs[0].name} of the network would lose its name", name)
        elif len(outputs) == 1:
            result.change("it has one output", name)
        else:
            assert above is not None
            result.change(f"its outputs are those of {above.name} now", name)


PASSES = (EliminateSplit,)
