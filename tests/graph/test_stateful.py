"""Random sequences of edits: after each one the graph is sound and means what the edit promises."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

import ncnnparam as nnp
from ncnnparam.errors import GraphError
from ncnnparam.graph import Blob, Graph, Layer
from tests.graph.validator import check_links, check_sound, snapshot
from tests.graph.view import Node, Value, View

STARTS = [
    "7767517\n0 0\n",
    """7767517
6 7
Input in0 0 1 in0
ReLU relu 1 1 in0 a
Split splitncnn_0 1 2 a a_splitncnn_0 a_splitncnn_1
ReLU left 1 1 a_splitncnn_0 out0 0=0.1
Slice right 1 2 a_splitncnn_1 out1 out2 -23300=2,-233,-233
Noop end 0 0
""",
    """7767517
9 11
Input in0 0 1 in0
Input in1 0 1 in1
Split s0 1 3 in0 x y z
BinaryOp add 2 1 x y sum
Split s1 1 2 sum u spare
BinaryOp mul 2 1 u z prod
Concat cat 2 1 prod in1 all
ReLU last 1 1 all out0
Print sink 1 0 spare
""",
]
OTHER = """7767517
4 5
Input data 0 1 data
Split splitncnn_0 1 2 data d0 d1
BinaryOp relu 2 1 d0 d1 relu
ReLU other 1 1 relu other
"""

numbers = st.integers(0, 40)
ones = st.sampled_from(["ReLU", "Sigmoid", "Noop"])


class Edits(RuleBasedStateMachine):
    """Each rule computes from the network before what the network must be after."""

    graph: Graph
    lone_splits: bool = False  # some may be kept because an output of theirs was wanted by name

    @initialize(start=st.sampled_from(STARTS))
    def load(self, start: str) -> None:
        self.graph = nnp.loads(start).graph
        self.check()

    # ---- choosing, trying, checking --------------------------------------------------------------

    def pick(self, number: int, *, splits: bool = True) -> Layer:
        layers = [layer for layer in self.graph if splits or layer.type != "Split"]
        return layers[number % len(layers)]

    def pick_blob(self, number: int) -> Blob:
        blobs = list(self.graph.blobs)
        return blobs[number % len(blobs)]

    def attempt(self, edit: Callable[[], Any]) -> Any:
        """The edit's result; None if it was refused, and then nothing may have changed."""
        before = snapshot(self.graph)
        try:
            result = edit()
        except GraphError:
            assert snapshot(self.graph) == before
            return None
        self.check()
        return result

    def succeeds(self, edit: Callable[[], None]) -> bool:
        """Whether an edit that returns nothing was done."""

        def tell() -> bool:
            edit()
            return True

        return self.attempt(tell) is not None

    def check(self) -> None:
        check_sound(self.graph, self.lone_splits)

    def now(self) -> View:
        return View.of(nnp.dumps(self.graph))

    def same(self, expected: View, *, ordered: bool = True) -> None:
        """The graph means what was expected; the blobs that carry its outputs have the names expected."""
        found = self.now()
        assert found.nodes == expected.nodes
        assert found.outputs == expected.outputs
        assert found.inputs == expected.inputs
        if ordered:
            assert list(found.nodes) == list(expected.nodes)

    def settle_loose(self, expected: View, values: set[Value]) -> None:
        """A value that lost its last reader is an output now, under a name that was none before."""
        for value in values:
            if value[0] in expected.nodes and not expected.is_read(value):
                (name,) = [blob for blob, found in self.now().outputs.items() if found == value]
                assert name not in expected.outputs
                expected.outputs[name] = value

    def hit(self, view: View, name: str) -> None:
        """Somebody was given a blob by name: it is no output any more."""
        view.outputs.pop(name, None)

    # ---- the edits -------------------------------------------------------------------------------

    @rule(
        type=st.sampled_from(["ReLU", "Concat", "Input", "Slice"]),
        reads=st.lists(numbers, max_size=3),
        outputs=st.integers(0, 3),
        place=st.sampled_from(["end", "before", "after"]),
        number=numbers,
    )
    def add(self, type: str, reads: list[int], outputs: int, place: str, number: int) -> None:
        if type == "Input":
            reads = []
        blobs = [self.pick_blob(read) for read in reads] if len(self.graph) and self.now().carries else []
        anchor = self.pick(number, splits=False) if self.now().nodes and place != "end" else None
        before = self.now()
        expected = before.copy()
        sources = tuple(before.carries[blob.name] for blob in blobs)
        for blob in blobs:
            self.hit(expected, blob.name)
        where: dict[str, Any] = {place: anchor} if anchor is not None else {}
        layer = self.attempt(lambda: self.graph.add(type, inputs=blobs, outputs=outputs, **where))
        if layer is None:
            return
        position = None
        if anchor is not None:
            position = list(before.nodes).index(anchor.name) + (place == "after")
        expected.put(layer.name, Node(type, sources, outputs), position)
        expected.outputs |= {blob.name: (layer.name, index) for index, blob in enumerate(layer.outputs)}
        if type == "Input":
            expected.inputs |= {blob.name for blob in layer.outputs}
        self.same(expected)

    @precondition(lambda self: self.now().carries)
    @rule(number=numbers, type=ones, by_layer=st.booleans())
    def insert_on(self, number: int, type: str, by_layer: bool) -> None:
        blob = self.pick_blob(number)
        name, before, producer = blob.name, self.now(), blob.producer
        assert producer is not None
        is_output, is_input = not blob.uses, producer.type == "Input"
        if by_layer:
            which = producer.outputs.index(blob)
            layer = self.attempt(lambda: self.graph.insert_after(producer, type, output=which))
        else:
            layer = self.attempt(lambda: self.graph.insert_on(name, type))
        new = (layer.name, 0)
        expected = before.copy()
        expected.put(layer.name, Node(type, (before.carries[name],), 1))
        expected.rewire(before.reads[name], new)
        expected.outputs |= dict.fromkeys(before.gives[name], new)
        if is_output and is_input:
            self.hit(expected, name)
            expected.outputs[layer.outputs[0].name] = new
        self.same(expected, ordered=False)
        assert [n for n in self.now().nodes if n != layer.name] == list(before.nodes)

    @precondition(lambda self: any(layer.inputs for layer in self.graph))
    @rule(number=numbers, which=st.integers(0, 2), type=ones)
    def insert_before(self, number: int, which: int, type: str) -> None:
        reader = self.pick(number)
        before = self.now()
        blob = reader.inputs[which].name if which < len(reader.inputs) else ""
        layer = self.attempt(lambda: self.graph.insert_before(reader, type, input=which))
        if layer is None:
            assert not blob
            return
        expected = before.copy()
        position = list(before.nodes).index(reader.name) if reader.name in before.nodes else None
        expected.put(layer.name, Node(type, (before.carries[blob],), 1), position)
        expected.rewire(before.reads[blob], (layer.name, 0))
        expected.outputs |= dict.fromkeys(before.gives[blob], (layer.name, 0))
        self.same(expected, ordered=position is not None)

    @precondition(lambda self: len(self.graph) > 0)
    @rule(number=numbers, keep=st.none() | st.integers(0, 2))
    def remove(self, number: int, keep: int | None) -> None:
        layer = self.pick(number)
        before = self.now()
        name, blobs = layer.name, [blob.name for blob in layer.outputs]
        if layer.type == "Split":
            with suppress(GraphError):
                self.graph.remove(layer, keep=keep)
            self.check()
            assert self.now().nodes == before.nodes
            return
        self.attempt(lambda: self.graph.remove(layer, keep=keep))
        if layer.graph is not None:
            return
        expected = before.copy()
        gone = expected.nodes.pop(name)
        if len(gone.sources) == 1 and keep is None and len(blobs) == 1:
            keep = 0
        if keep is not None:
            expected.rewire(before.reads[blobs[0]], gone.sources[keep])
            expected.outputs |= dict.fromkeys(before.gives[blobs[0]], gone.sources[keep])
        else:
            for blob in blobs:
                self.hit(expected, blob)
        expected.inputs -= set(blobs)
        self.settle_loose(expected, set(gone.sources))
        self.same(expected)

    @precondition(lambda self: self.now().nodes)
    @rule(number=numbers)
    def cut_out(self, number: int) -> None:
        layer = self.pick(number, splits=False)
        before = self.now()
        is_read = any(blob.uses for blob in layer.outputs)
        self.attempt(lambda: self.graph.remove(layer, reconnect=False))
        assert is_read == (layer.graph is not None)
        if is_read:
            return
        expected = before.copy()
        gone = expected.nodes.pop(layer.name)
        for blob in layer.outputs:
            self.hit(expected, blob.name)
            expected.inputs.discard(blob.name)
        self.settle_loose(expected, set(gone.sources))
        self.same(expected)

    @precondition(lambda self: self.now().nodes)
    @rule(number=numbers, rename=st.booleans(), slope=st.integers(0, 9))
    def replace(self, number: int, rename: bool, slope: int) -> None:
        layer = self.pick(number, splits=False)
        if layer.type == "Input":
            return
        old = layer.name
        new = self.graph.fresh_layer_name("new") if rename else old
        expected = self.now()
        assert self.attempt(lambda: self.graph.replace(layer, "Clip", new, params={0: slope + 0.5})) is layer
        expected.nodes[old] = replace(expected.nodes[old], type="Clip", params=f"0={slope}.5")
        expected.rename_node(old, new)
        self.same(expected)

    @precondition(lambda self: len(self.graph) > 1)
    @rule(number=numbers, other=numbers, after=st.booleans())
    def move(self, number: int, other: int, after: bool) -> None:
        layer, anchor = self.pick(number), self.pick(other)
        before = self.now()
        names = [other.name for other in self.graph if other is not layer]
        names.insert(names.index(anchor.name) + after, layer.name) if anchor is not layer else None
        allowed = anchor is not layer and self.can_stand(before, layer, names)
        place = {"after" if after else "before": anchor}
        done = self.succeeds(lambda: self.graph.move(layer, **place))
        assert done == allowed
        if not done:
            return
        expected = before.copy()
        if layer.type != "Split":
            order = [name for name in names if name in before.nodes]
            expected.nodes = {name: before.nodes[name] for name in order}
        self.same(expected)

    def can_stand(self, view: View, layer: Layer, names: list[str]) -> bool:
        at = names.index(layer.name)
        value_from = {view.carries[blob.name][0] for blob in layer.inputs}
        readers = {name for blob in layer.outputs for name, _ in view.reads[blob.name]}
        return value_from <= set(names[:at]) and readers <= set(names[at:])

    @precondition(lambda self: any(node.sources for node in self.now().nodes.values()))
    @rule(number=numbers, which=st.integers(0, 2), blob=numbers)
    def set_input(self, number: int, which: int, blob: int) -> None:
        layers = [layer for layer in self.graph if layer.inputs and layer.type != "Split"]
        layer = layers[number % len(layers)]
        name = self.pick_blob(blob).name
        before = self.now()
        expected = before.copy()
        done = self.succeeds(lambda: self.graph.set_input(layer, which, name))
        order = list(before.nodes)
        old = before.nodes[layer.name].sources
        above = order.index(before.carries[name][0]) < order.index(layer.name)
        assert done == (which < len(old) and (above or old[which] == before.carries[name]))
        if done and old[which] != before.carries[name]:
            expected.rewire([(layer.name, which)], before.carries[name])
            self.hit(expected, name)
            self.settle_loose(expected, {old[which]})
        self.same(expected)

    @precondition(lambda self: self.now().carries)
    @rule(old=numbers, new=numbers)
    def replace_uses(self, old: int, new: int) -> None:
        was, becomes = self.pick_blob(old).name, self.pick_blob(new).name
        before = self.now()
        expected = before.copy()
        done = self.succeeds(lambda: self.graph.replace_uses(was, becomes))
        if done and before.carries[was] != before.carries[becomes] and before.reads[was]:
            expected.rewire(before.reads[was], before.carries[becomes])
            self.hit(expected, becomes)
            self.settle_loose(expected, {before.carries[was]})
        self.same(expected)

    @precondition(lambda self: len(self.graph) > 0)
    @rule(
        number=numbers, name=st.sampled_from(["fresh", "relu", "in0", "two words", "", "\ud800", "x" * 256])
    )
    def rename_layer(self, number: int, name: str) -> None:
        layer = self.pick(number)
        old, expected = layer.name, self.now()
        self.attempt(lambda: self.graph.rename_layer(old, name))
        expected.rename_node(old, layer.name)
        self.same(expected)

    @precondition(lambda self: self.now().carries)
    @rule(number=numbers, name=st.sampled_from(["fresh", "out0", "in0", "two words", "é", "y" * 255]))
    def rename_blob(self, number: int, name: str) -> None:
        blob = self.pick_blob(number)
        old, expected = blob.name, self.now()
        self.attempt(lambda: self.graph.rename_blob(old, name))
        expected.outputs = {blob.name if b == old else b: value for b, value in expected.outputs.items()}
        expected.inputs = {blob.name if b == old else b for b in expected.inputs}
        self.same(expected)

    @rule(prefix=st.sampled_from(["", "p.", "q."]), join=st.none() | numbers, itself=st.booleans())
    def concat(self, prefix: str, join: int | None, itself: bool) -> None:
        if len(self.graph) > 30:
            return
        other = self.graph if itself else nnp.loads(OTHER).graph
        before, theirs = self.now(), View.of(nnp.dumps(other))
        connect = {}
        if join is not None and theirs.inputs and before.carries:
            connect = {sorted(theirs.inputs)[join % len(theirs.inputs)]: self.pick_blob(join).name}
        kept = snapshot(other) if not itself else ()
        done = self.succeeds(lambda: self.graph.concat(other, prefix=prefix, connect=connect))
        assert itself or snapshot(other) == kept
        if not done:
            self.same(before)
            return
        joined = {theirs.carries[blob]: before.carries[ours] for blob, ours in connect.items()}
        expected = before.copy()
        used = {value for node in theirs.nodes.values() for value in node.sources}
        used |= {value for blob, value in theirs.outputs.items() if blob not in connect}
        for ours in connect.values():
            if used & set(joined):
                self.hit(expected, ours)
        spare: dict[Value, Value] = {}
        for name, node in theirs.nodes.items():
            outs = {(name, index) for index in range(node.outputs)}
            if node.type == "Input" and outs and outs <= set(joined):
                continue
            sources = tuple(joined.get((n, i), (prefix + n, i)) for n, i in node.sources)
            expected.put(prefix + name, replace(node, sources=sources))
            spare |= {value: (prefix + value[0], value[1]) for value in outs & set(joined)}
        for blob, value in theirs.outputs.items():
            if value not in joined:
                expected.outputs[prefix + blob] = (prefix + value[0], value[1])
            elif blob not in connect:  # an output of a Split that read the joined input
                expected.outputs[prefix + blob] = joined[value]
        found = self.now()
        for value in spare.values():
            (name,) = [blob for blob, v in found.outputs.items() if v == value]
            expected.outputs[name] = value
        expected.inputs |= {b for b in found.inputs if found.carries[b] in spare.values()}
        expected.inputs |= {prefix + blob for blob in theirs.inputs if blob not in connect}
        self.same(expected)

    @precondition(lambda self: self.now().carries)
    @rule(ins=st.lists(numbers, max_size=3), outs=st.lists(numbers, min_size=1, max_size=3))
    def extract(self, ins: list[int], outs: list[int]) -> None:
        fed, wanted = [[self.pick_blob(n).name for n in picked] for picked in (ins, outs)]
        view = self.now()
        part = self.attempt(lambda: self.graph.extract(fed, wanted))
        if part is None:
            return
        check_sound(part, self.lone_splits)
        found = View.of(nnp.dumps(part))
        assert found.inputs == set(fed)
        assert set(found.outputs) >= set(wanted) - set(fed)
        origin = {found.carries[blob]: blob for blob in found.inputs}

        def same_value(theirs: Value, ours: Value, cut: str) -> None:
            if theirs in origin:  # a fed blob: it carries what it carried here
                assert view.carries[origin[theirs]] == ours
                return
            assert theirs == ours
            one, two = found.nodes[theirs[0]], view.nodes[ours[0]]
            assert (one.type, one.params, one.outputs) == (two.type, two.params, two.outputs)
            if theirs[0] not in seen:
                seen.add(theirs[0])
                for source, their_source in zip(two.sources, one.sources, strict=True):
                    same_value(their_source, source, cut)

        seen: set[str] = set()
        for blob in wanted:
            same_value(found.carries[blob], view.carries[blob], blob)

    @precondition(lambda self: self.now().carries)
    @rule(number=st.none() | numbers)
    def remove_dead(self, number: int | None) -> None:
        before = self.now()
        splits = {blob.name for la in self.graph.find("Split") for blob in la.outputs}
        wanted = {blob for blob in before.outputs if blob not in splits}
        if number is not None:
            wanted = {self.pick_blob(number).name}
        dead = self.graph.remove_dead(None if number is None else sorted(wanted))
        if number is not None:
            kept = [self.graph.blob(blob).producer for blob in wanted]
            self.lone_splits |= any(la and la.type == "Split" and len(la.outputs) == 1 for la in kept)
        self.check()
        needed = {before.carries[blob][0] for blob in wanted}
        needed |= {name for name, node in before.nodes.items() if not node.outputs or node.type == "Input"}
        pending = list(needed)
        while pending:
            more = {source for source, _ in before.nodes[pending.pop()].sources} - needed
            needed |= more
            pending += more
        found = self.now()
        assert found.nodes == {name: node for name, node in before.nodes.items() if name in needed}
        assert {layer.name for layer in dead} & set(before.nodes) == set(before.nodes) - needed
        assert all(layer.graph is None for layer in dead)
        assert all(found.carries[blob] == before.carries[blob] for blob in wanted)
        assert found.inputs == before.inputs
        for blob in wanted & set(before.outputs):
            assert found.outputs[blob] == before.outputs[blob]

    @rule()
    def sort(self) -> None:
        before = nnp.dumps(self.graph)
        assert self.graph.sort() is False
        assert self.graph.split_fanout() == []
        assert nnp.dumps(self.graph) == before

    @rule()
    def copy(self) -> None:
        twin = self.graph.copy()
        check_links(twin)
        assert twin == self.graph
        assert nnp.dumps(twin) == nnp.dumps(self.graph)
        self.graph = twin


TestEdits = Edits.TestCase
TestEdits.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@pytest.mark.nightly
class TestManyEdits(Edits.TestCase):
    settings = settings(max_examples=3000, stateful_step_count=60, deadline=None)
