"""Broken files: they load and print byte for byte, edits do not crash or make them worse, repairs repair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

import ncnnparam as nnp
from ncnnparam.errors import GraphError
from ncnnparam.graph import Graph
from tests.graph.validator import check_links, check_sound, snapshot

BROKEN = {
    "duplicate layer name": "Input in 0 1 in\nReLU r 1 1 in a\nReLU r 1 1 a b\nReLU r 1 1 b c\n",
    "duplicate blob name": "Input in 0 1 a\nReLU r 1 1 a b\nInput in2 0 1 b\nReLU q 1 1 b c\n",
    "two outputs of one name": "Input in 0 1 a\nSlice s 1 2 a b b\nReLU q 1 1 b c\n",
    "undefined input": "Input in 0 1 in\nBinaryOp add 2 1 in nowhere a\nReLU r 1 1 a b\n",
    "forward reference": "ReLU r 1 1 a b\nInput in 0 1 in\nReLU q 1 1 in a\nReLU p 1 1 b c\n",
    "consumed twice": "Input in 0 1 in\nReLU q 1 1 in a\nReLU r 1 1 a b\nBinaryOp add 2 1 a b c\n",
    "consumed twice by one": "Input in 0 1 in\nReLU q 1 1 in a\nBinaryOp add 2 1 a a c\nReLU z 1 1 c d\n",
    "consumed beside a Split": (
        "Input in 0 1 in\nReLU e 1 1 in a\nReLU q 1 1 a b\nSplit s 1 2 a x y\n"
        "BinaryOp m 2 1 x y z\nBinaryOp n 2 1 z a o\n"
    ),
    "two Splits of one blob": (
        "Input in 0 1 a\nSplit s 1 2 a x y\nSplit t 1 2 a v w\nConcat c 4 1 x y v w o\nNoop n 0 0\n"
    ),
    "Split of one output": "Input in 0 1 in\nReLU q 1 1 in a\nSplit s 1 1 a b\nReLU r 1 1 b c\n",
    "Split of one output beside a reader": (
        "Input in 0 1 in\nReLU q 1 1 in a\nSplit s 1 1 a out\nReLU r 1 1 a b\n"
    ),
    "Split of one output above its input": (
        "Input in 0 1 in\nReLU p 1 1 b c\nSplit s 1 1 b d\nConcat r 2 1 in d e\nSplit t 1 2 in b x\n"
    ),
    "Splits of one output in a circle": (
        "ReLU r 1 1 a b\nSplit s 1 1 c d\nConcat q 2 1 c d e\nSplit t 1 1 a c\nSplit u 1 1 d a\n"
    ),
    "Split of no output": "Input in 0 1 in\nReLU q 1 1 in a\nSplit s 1 0 a\nReLU r 0 1 c\n",
    "Split of no input": "Split s 0 2 a b\nReLU r 1 1 b c\nReLU q 1 1 a d\n",
    "Split of two inputs": "Input i 0 1 x\nInput j 0 1 y\nSplit s 2 2 x y a b\nConcat r 2 1 b a c\n",
    "Split of itself": "Split s 1 2 a a b\nReLU r 1 1 b c\nReLU q 1 1 c d\n",
    "Splits in a circle": "Split s 1 2 a b x\nSplit t 1 2 b a y\nBinaryOp r 2 1 x y c\nReLU q 1 1 c d\n",
    "Split above its input": (
        "Split s 1 2 a x y\nReLU r 1 1 x b\nInput in 0 1 in\nReLU q 1 1 in a\nReLU p 1 1 y c\n"
    ),
    "reads itself": "Input in 0 1 in\nReLU r 1 1 a a\nBinaryOp b 2 1 in a c\nReLU q 1 1 q q\n",
    "circle": "Input in 0 1 in\nBinaryOp r 2 1 in b a\nReLU q 1 1 a b\nReLU p 1 1 c d\n",
}


def broken(body: str, counts: str = "9 9") -> Graph:
    return nnp.loads(f"7767517\n{counts}\n{body}").graph


def faults(graph: Graph) -> Counter[str]:
    """How often each kind of fault is there."""
    found: Counter[str] = Counter()
    layer_names = Counter(layer.name for layer in graph)
    found["duplicate layer name"] = sum(count - 1 for count in layer_names.values())
    blob_names = Counter(blob.name for blob in graph.blobs)
    found["duplicate blob name"] = sum(count - 1 for count in blob_names.values())
    for blob in graph.blobs:
        found["undefined input"] += blob.producer is None
        found["read again"] += max(0, len(blob.uses) - 1)
    seen = set()
    for layer in graph:
        read = [blob.producer for blob in layer.inputs if blob.producer is not None]
        found["read before written"] += sum(id(producer) not in seen for producer in read)
        seen.add(id(layer))
    return found


cases = pytest.mark.parametrize("name", BROKEN)


@cases
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_loads_and_prints_byte_for_byte(name: str, end: str) -> None:
    text = f"7767517\n9 9\n{BROKEN[name]}".replace("\n", end)
    graph = nnp.loads(text).graph
    check_links(graph)
    assert nnp.dumps(graph) == text
    assert nnp.dumps(graph.copy()) == text
    assert graph.declared == (9, 9)


@cases
def test_everything_can_be_asked(name: str) -> None:
    graph = broken(BROKEN[name])
    for blob in graph.blobs:
        assert blob.source in list(graph.blobs)
        assert all(use.layer in list(graph) for use in blob.readers)
        assert graph.blob(blob.name).name == blob.name
    for layer in graph:
        assert graph.layer(layer.name).name == layer.name
    assert graph == graph.copy()
    assert graph.inputs is not None
    assert graph.outputs is not None


numbers = st.integers(0, 30)
EDITS: dict[str, Callable[[Graph, int, int], object]] = {
    "add": lambda g, m, n: g.add("ReLU", inputs=[blob(g, m), blob(g, n), blob(g, m)]),
    "add before": lambda g, m, n: g.add("ReLU", inputs=[blob(g, m)], before=layer(g, n)),
    "insert after": lambda g, m, n: g.insert_after(layer(g, m), "ReLU", output=n % 2),
    "insert before": lambda g, m, n: g.insert_before(layer(g, m), "ReLU", input=n % 2),
    "insert on": lambda g, m, n: g.insert_on(blob(g, m), "ReLU"),
    "insert at": lambda g, m, n: g.insert_at(n - 15, "ReLU", inputs=blob(g, m)),
    "remove": lambda g, m, n: g.remove(layer(g, m), keep=[None, 0, 1][n % 3]),
    "cut out": lambda g, m, n: g.remove(layer(g, m), reconnect=False),
    "replace": lambda g, m, n: g.replace(layer(g, m), ["ReLU", "Split", "Input"][n % 3]),
    "move": lambda g, m, n: g.move(layer(g, m), after=layer(g, n)),
    "move before": lambda g, m, n: g.move(layer(g, m), before=layer(g, n)),
    "set input": lambda g, m, n: g.set_input(layer(g, m), n % 2, blob(g, n)),
    "replace uses": lambda g, m, n: g.replace_uses(blob(g, m), blob(g, n)),
    "rename layer": lambda g, m, n: setattr(layer(g, m), "name", f"new{n}"),
    "rename blob": lambda g, m, n: setattr(blob(g, m), "name", f"new{n}"),
    "concat": lambda g, m, n: g.concat(g, prefix=f"p{n}.", connect={blob(g, m).name: blob(g, n).name}),
    "extract": lambda g, m, n: check_links(g.extract([blob(g, m).name], [blob(g, n).name])),
    "remove dead": lambda g, m, n: g.remove_dead([blob(g, m).name] if n % 3 else None),
    "split fanout": lambda g, m, n: g.split_fanout(),
    "sort": lambda g, m, n: g.sort(),
}


def layer(graph: Graph, number: int) -> nnp.Layer:
    return list(graph)[number % len(graph)]


def blob(graph: Graph, number: int) -> nnp.Blob:
    blobs = list(graph.blobs)
    return blobs[number % len(blobs)]


@given(
    name=st.sampled_from(sorted(BROKEN)),
    edits=st.lists(st.tuples(st.sampled_from(sorted(EDITS)), numbers, numbers), max_size=6),
)
@settings(deadline=None, max_examples=300)
def test_edits_neither_crash_nor_make_it_worse(name: str, edits: list[tuple[str, int, int]]) -> None:
    graph = broken(BROKEN[name])
    for edit, m, n in edits:
        if not len(graph) or not list(graph.blobs) or len(graph) > 40:
            return
        before, known = snapshot(graph), faults(graph)
        try:
            EDITS[edit](graph, m, n)
        except GraphError:
            assert snapshot(graph) == before
        check_links(graph)
        if edit not in ("concat", "replace"):  # these bring in what is broken, or break it as told
            worse = faults(graph) - known
            assert not worse
        text = nnp.dumps(graph)
        assert nnp.dumps(nnp.loads(text).graph) == text


def test_duplicate_layers_are_told_apart() -> None:
    graph = broken(BROKEN["duplicate layer name"])
    first, second, third = graph.find(name="r")
    assert graph.layer("r") is first
    first.name = "r1"
    assert graph.layer("r") is second
    graph.remove(third)
    second.name = "r2"
    assert not graph.has_layer("r")
    check_sound(graph)


def test_later_readers_of_a_duplicate_blob_get_the_first_as_in_ncnn() -> None:
    graph = broken(BROKEN["duplicate blob name"])
    assert graph.layer("q").inputs[0].producer is graph.layer("r")
    graph.layer("in2").outputs[0].name = "other"
    check_sound(graph)


def test_a_forward_reference_is_one_blob_and_sort_repairs_it() -> None:
    graph = broken(BROKEN["forward reference"])
    assert graph.layer("r").inputs[0].producer is graph.layer("q")
    assert graph.sort()
    assert [layer.name for layer in graph] == ["in", "q", "r", "p"]
    check_sound(graph)
    assert not graph.sort()


def test_sort_names_the_layers_of_a_circle() -> None:
    graph = broken(BROKEN["circle"])
    text = nnp.dumps(graph)
    with pytest.raises(GraphError, match=r"circle.*'r', 'q'"):
        graph.sort()
    assert nnp.dumps(graph) == text


@pytest.mark.parametrize(
    ("name", "after"),
    [
        (
            "consumed twice",
            ["Input in", "ReLU q", "Split splitncnn_0 a -> 2", "ReLU r", "BinaryOp add"],
        ),
        (
            "consumed twice by one",
            ["Input in", "ReLU q", "Split splitncnn_0 a -> 2", "BinaryOp add", "ReLU z"],
        ),
        (
            "consumed beside a Split",
            ["Input in", "ReLU e", "Split s a -> 4", "ReLU q", "BinaryOp m", "BinaryOp n"],
        ),
        ("two Splits of one blob", ["Input in", "Split s a -> 4", "Concat c", "Noop n"]),
    ],
)
def test_split_fanout_gives_each_reader_a_blob(name: str, after: list[str]) -> None:
    graph = broken(BROKEN[name])
    splits = graph.split_fanout()
    found = [
        f"{layer.type} {layer.name}"
        + (f" {layer.inputs[0].name} -> {len(layer.outputs)}" if layer.type == "Split" else "")
        for layer in graph
    ]
    assert found == after
    assert splits == graph.find("Split")
    check_sound(graph)
    assert graph.split_fanout() == []


def test_split_fanout_serves_readers_of_a_blob_nobody_writes() -> None:
    graph = broken("ReLU r 1 1 x a\nReLU q 1 1 x b\n")
    (split,) = graph.split_fanout()
    assert next(iter(graph)) is split
    check_links(graph)


def test_split_fanout_leaves_alone_what_went_with_a_split_above() -> None:
    graph = broken(BROKEN["Splits of one output in a circle"])
    assert all(split.graph is graph for split in graph.split_fanout())
    check_links(graph)


def test_a_split_of_one_output_beside_a_reader_stays() -> None:
    graph = broken(BROKEN["Split of one output beside a reader"])
    text = nnp.dumps(graph)
    with pytest.raises(GraphError, match="'s' gives out as 'out' what others read too"):
        graph.remove(graph.layer("s"))
    assert nnp.dumps(graph) == text
    graph.remove(graph.layer("s"), reconnect=False)
    check_sound(graph)


def test_a_split_above_its_input_can_be_removed() -> None:
    graph = broken(BROKEN["Split of one output above its input"])
    graph.remove(graph.layer("s"))
    check_links(graph)
    assert graph.layer("r").inputs[1].source is graph.blob("in")


def test_a_layer_can_be_added_that_reads_what_goes_with_a_split() -> None:
    graph = broken(BROKEN["Split of one output above its input"])
    added = graph.add("ReLU", inputs=["b", "d", "b"])
    check_links(graph)
    assert [blob.source.name for blob in added.inputs] == ["in", "in", "in"]


def test_several_readers_can_get_the_only_output_of_a_split() -> None:
    graph = broken(
        "Input i 0 1 i\nSplit s 1 1 i x\nInput j 0 1 j\nSplit t 1 2 j a b\nReLU p 1 1 a c\nReLU q 1 1 b d\n"
    )
    graph.replace_uses("j", "x")
    assert [reader.layer.name for reader in graph.blob("i").readers] == ["p", "q"]
    check_sound(graph)


def test_an_edit_that_meets_a_shared_blob_repairs_it() -> None:
    graph = broken(BROKEN["consumed twice"])
    graph.add("ReLU", "new", inputs="a")
    assert len(graph.layer("splitncnn_0").outputs) == 3
    check_sound(graph)


def test_a_layer_of_a_shared_blob_can_go() -> None:
    graph = broken("Input in 0 1 in\nReLU q 1 1 in a\nReLU r 1 1 a out\nReLU s 1 1 a b\n")
    graph.remove(graph.layer("r"))
    check_sound(graph)
    assert {blob.name for blob in graph.outputs} == {"out", "b"}


def test_a_blob_nobody_writes_goes_with_its_last_reader() -> None:
    graph = broken(BROKEN["undefined input"])
    graph.remove(graph.layer("add"), keep=0)
    assert not graph.has_blob("nowhere")
    check_sound(graph)
    graph.blob("in").name = "nowhere"


def test_a_layer_that_reads_itself_can_be_removed() -> None:
    graph = broken("Input in 0 1 in\nReLU r 1 1 a a\nReLU q 1 1 in out\n")
    graph.remove(graph.layer("r"))
    check_sound(graph)
    graph = broken("ReLU r 1 1 a a\nReLU q 1 1 a out\n")
    with pytest.raises(GraphError, match="not clear what to reconnect"):
        graph.remove(graph.layer("r"))


def test_a_split_of_two_inputs_is_an_ordinary_layer() -> None:
    graph = broken("Input i 0 1 x\nInput j 0 1 y\nSplit s 2 2 x y a b\nReLU p 1 1 a c\nReLU q 1 1 b d\n")
    graph.remove(graph.layer("q"), reconnect=False)
    assert [blob.name for blob in graph.layer("s").outputs] == ["a", "b"]
    assert graph.blob("a").source is graph.blob("a")


def test_an_output_beside_a_shared_blob_keeps_its_name() -> None:
    graph = broken("Input in 0 1 in\nReLU r 1 1 in a\nSplit s 1 2 a out x\nReLU p 1 1 a b\nReLU q 1 1 x c\n")
    graph.remove(graph.layer("q"), reconnect=False)
    assert {blob.name for blob in graph.outputs} == {"out", "b"}


def test_wrong_counts_stay_until_something_changes() -> None:
    text = "7767517\n99 77\nInput in 0 1 in\nReLU r 1 1 in out\n"
    graph = nnp.loads(text).graph
    assert nnp.dumps(graph) == text
    graph.layer("r")["slope"] = 0.5
    assert nnp.dumps(graph).startswith("7767517\n2 2\n")


def test_thousands_of_nested_splits() -> None:
    lines = ["Input in 0 1 a0"] + [f"Split s{n} 1 2 a{n} a{n + 1} b{n + 1}" for n in range(3000)]
    graph = broken("\n".join(lines))
    assert graph.blob("a3000").source is graph.blob("a0")
    assert len(graph.blob("a0").readers) == 0
    graph.move(graph.layer("s2999"), after=graph.layer("in"))
    graph.add("ReLU", inputs=["b3000"], after=graph.layer("in"))
    check_links(graph)
