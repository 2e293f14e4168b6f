"""What a ``.param`` text means, read by a few lines of its own: the oracle of the graph's edits.

Splits are seen through: a layer's inputs are values, and a value is an output of a layer that computes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeAlias

Value: TypeAlias = tuple[str, int]
"""A layer's name and the number of its output."""


@dataclass(frozen=True)
class Node:
    """A layer other than Split."""

    type: str
    sources: tuple[Value, ...]
    outputs: int
    params: str = ""


@dataclass
class View:
    """A network.

    Attributes:
        nodes: The layers in their order, without Splits.
        outputs: The unread blobs, those of Splits too, and the value that each carries.
        inputs: The names of the blobs that are fed.
        carries: Which value each blob carries, by blob name.
        reads: By blob name, who reads it, seen through Splits: (layer, input number).
        gives: By blob name, which of ``outputs`` come from it through Splits, itself included.
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    outputs: dict[str, Value] = field(default_factory=dict)
    inputs: set[str] = field(default_factory=set)
    carries: dict[str, Value] = field(default_factory=dict)
    reads: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    gives: dict[str, set[str]] = field(default_factory=dict)

    @staticmethod
    def of(text: str) -> View:
        """The network of a sound text without quoted strings."""
        view = View()
        split_from: dict[str, str] = {}
        read: dict[str, tuple[str, int]] = {}
        for line in text.split("\n")[2:]:
            words = line.split()
            if not words:
                continue
            type, name, n_in, n_out = words[0], words[1], int(words[2]), int(words[3])
            ins, outs = words[4 : 4 + n_in], words[4 + n_in : 4 + n_in + n_out]
            if type == "Split":
                for blob in outs:
                    view.carries[blob] = view.carries[ins[0]]
                    split_from[blob] = ins[0]
            else:
                sources = tuple(view.carries[blob] for blob in ins)
                view.nodes[name] = Node(type, sources, n_out, " ".join(words[4 + n_in + n_out :]))
                view.carries |= {blob: (name, index) for index, blob in enumerate(outs)}
                read |= {blob: (name, index) for index, blob in enumerate(ins)}
                if type == "Input":
                    view.inputs.update(outs)
        split_reads = set(split_from.values())
        view.reads = {blob: [] for blob in view.carries}
        view.gives = {blob: set() for blob in view.carries}
        for blob in view.carries:
            above = blob
            while True:
                if blob in read:
                    view.reads[above].append(read[blob])
                elif blob not in split_reads:
                    view.gives[above].add(blob)
                if above not in split_from:
                    break
                above = split_from[above]
        view.outputs = {b: v for b, v in view.carries.items() if b not in read and b not in split_reads}
        return view

    def copy(self) -> View:
        return View(dict(self.nodes), dict(self.outputs), set(self.inputs))

    def put(self, name: str, node: Node, position: int | None = None) -> None:
        """Adds a node, at the end or at a position."""
        items = list(self.nodes.items())
        items.insert(len(items) if position is None else position, (name, node))
        self.nodes = dict(items)

    def rewire(self, uses: list[tuple[str, int]], value: Value) -> None:
        """Lets some inputs read a value."""
        for name, index in uses:
            node = self.nodes[name]
            sources = (*node.sources[:index], value, *node.sources[index + 1 :])
            self.nodes[name] = replace(node, sources=sources)

    def is_read(self, value: Value) -> bool:
        return value in self.outputs.values() or any(value in node.sources for node in self.nodes.values())

    def rename_node(self, old: str, new: str) -> None:
        def renamed(value: Value) -> Value:
            return (new, value[1]) if value[0] == old else value

        self.nodes = {
            new if name == old else name: replace(node, sources=tuple(map(renamed, node.sources)))
            for name, node in self.nodes.items()
        }
        self.outputs = {blob: renamed(value) for blob, value in self.outputs.items()}
