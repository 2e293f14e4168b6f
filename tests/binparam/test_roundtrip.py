"""Text to binary and back keeps the graph, and the real ncnn reads the binary form as it reads the text."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ncnnparam as nnp
from ncnnparam import binparam
from ncnnparam.binparam import IdNames
from ncnnparam.errors import GraphError
from ncnnparam.graph import Graph
from ncnnparam.ops import ParamSpec, registry
from ncnnparam.ops.type_index import index_of
from ncnnparam.syntax import Value

from ..weights.pairs import demo
from .loader import Loader

ints = st.integers(-(2**31), 2**31 - 1)
floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
likely_floats = floats.filter(lambda number: abs(number) > 1e-20)
texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters='"'), max_size=60
)


def values(spec: ParamSpec) -> st.SearchStrategy[Any]:
    """What a param can be in both forms; where nobody knows the kind, what is guessed right."""
    if spec.type == "int":
        return ints
    if spec.type == "float":
        return floats
    if spec.type == "string":
        return texts
    items = {"int": ints, "float": floats, None: st.integers(-999, 999)}[spec.items]
    return st.lists(items, max_size=5).map(tuple)


unknown: st.SearchStrategy[Any] = st.one_of(
    st.integers(-999_999, 999_999),
    likely_floats,
    texts,
    st.lists(st.integers(-999, 999), max_size=4).map(tuple),
    st.lists(likely_floats, max_size=4).map(tuple),
)


@st.composite
def graphs(draw: Any) -> Graph:
    """A chain of layers of any types with any params."""
    graph = Graph()
    graph.add("Input", "data", outputs=["data"])
    for index in range(draw(st.integers(0, 4))):
        name = draw(st.sampled_from([*registry.names(), "MyOwn", "MyOther"]))
        layer_type = registry.get(name)
        params: dict[int, Value] = {}
        for spec in layer_type.params if layer_type else ():
            if draw(st.booleans()):
                params[spec.id] = draw(values(spec))
        if layer_type is None:
            params = draw(st.dictionaries(st.integers(0, 29), unknown, max_size=4))
        last = [blob.name for blob in graph.outputs][: draw(st.integers(0, 2))]
        graph.add(name, f"l{index}", inputs=last, outputs=[f"b{index}_{k}" for k in range(2)], params=params)
    return graph


def names_of(graph: Graph) -> IdNames:
    """What an ``.id.h`` would say if it could say every name."""
    return IdNames(
        {index: layer.name for index, layer in enumerate(graph)},
        {index: blob.name for index, blob in enumerate(graph.blobs)},
        {256 + index: name for index, name in enumerate(custom_types(graph))},
    )


def custom_types(graph: Graph) -> list[str]:
    return list(dict.fromkeys(layer.type for layer in graph if index_of(layer.type) is None))


@given(graphs())
def test_the_graph_comes_back(graph: Graph) -> None:
    data = binparam.dumps(graph)
    back = binparam.loads(data, names_of(graph))
    assert back == graph
    assert binparam.dumps(back) == data
    assert binparam.dumps(binparam.loads(data)) == data


def kinds_as_read(graph: Graph) -> Graph:
    """The graph with floats where its types read floats, as the binary form has to have them."""
    for layer in graph:
        layer_type = registry.get(layer.type)
        for id, value in dict(layer.params).items():
            spec = layer_type.param(id) if layer_type else None
            if spec and spec.items == "float" and isinstance(value, tuple):
                layer.params[id] = tuple(as_float(item) for item in value)
    return graph


def as_float(item: int | float) -> float:
    """Old tools wrote 1036831949 for 0.1: large ints are the bits of floats."""
    return (
        struct.unpack("<f", struct.pack("<i", item))[0]
        if isinstance(item, int) and item > 2**28
        else float(item)
    )


def readable(path: Path) -> Graph | None:
    try:
        return nnp.load(path).graph
    except nnp.NcnnParamError:
        return None


def test_the_corpus(shared: Path) -> None:
    for path in sorted((shared / "corpus").rglob("*.param")):
        check_round_trip(path)


def check_round_trip(path: Path) -> None:
    graph = readable(path)
    if graph is None:
        return
    data, names = binparam.dumps(graph), names_of(graph)
    reading = binparam.read(data, names)
    assert binparam.dumps(reading.graph) == data
    unique = all(len(set(table.values())) == len(table) for table in (names.layers, names.blobs))
    if unique and not reading.guesses:
        assert reading.graph == kinds_as_read(graph), path.name


@pytest.fixture(scope="module")
def loader() -> Iterator[Loader]:
    pytest.importorskip("ncnn")
    with Loader() as loader:
        yield loader


def check_same_in_ncnn(loader: Loader, param: Path, folder: Path) -> bool:
    graph = nnp.load(param).graph
    assert graph.declared is not None
    binary = folder / "m.param.bin"
    binary.write_bytes(binparam.dumps(graph))
    as_text, as_binary = (loader.load(path, custom_types(graph)) for path in (param, binary))
    if as_text.rc != 0 or graph.declared[0] < len(graph):  # a spelling, a count that only the text has
        return False
    assert as_text == as_binary, param
    return True


@pytest.mark.parametrize("step", [8, pytest.param(1, marks=pytest.mark.nightly)])
def test_ncnn_reads_both_alike(loader: Loader, shared: Path, tmp_path: Path, step: int) -> None:
    """Links, and the bytes of weights that each layer asks for, which tell what it made of its params."""
    params = [demo()[0], *sorted((shared / "golden" / "seq").glob("*.param"))]
    params += sorted((shared / "golden").glob("*/*.param")) + sorted((shared / "corpus").rglob("*.param"))
    some = [param for param in params[::step] if readable(param)]
    loaded = [check_same_in_ncnn(loader, param, tmp_path) for param in some]
    assert sum(loaded) > len(some) // 2


WRITTEN = """7767517
2 2
Input in0 0 1 in0
ReLU relu 1 1 in0 out0 {}
"""


def test_an_int_for_a_float_is_written_as_that_float() -> None:
    data = binparam.dumps(nnp.loads(WRITTEN.format("0=1")).graph)
    assert struct.pack("<if", 0, 1.0) in data


def test_an_int_with_the_bits_of_a_float_stays() -> None:
    text = WRITTEN.replace("ReLU", "Convolution").format("0=1 1=1 6=1 9=2 -23310=2,1036831949,2")
    graph = nnp.loads(text).graph
    assert struct.pack("<iiff", -23310, 2, 0.1, 2.0) in binparam.dumps(graph)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ("0=abc", "slope is a float"),
        ("0=1.0 31=0.5", "featmask is an int"),
        ("0=1.0 30=5", "shape_hints is an array"),
        ("0=1.0 40=5", "param id 40"),
    ],
)
def test_what_the_binary_form_cannot_say(params: str, says: str) -> None:
    with pytest.raises(GraphError, match=says):
        binparam.dumps(nnp.loads(WRITTEN.format(params)).graph)


def test_more_custom_types_than_ncnn_can_tell_apart() -> None:
    graph = Graph()
    for index in range(257):
        graph.add(f"Mine{index}", outputs=1)
    with pytest.raises(GraphError, match="257 custom layer types"):
        binparam.dumps(graph)


def test_counts_are_true_but_for_a_large_count_of_blobs() -> None:
    for declared, written in (("2 2", (2, 2)), ("2 7", (2, 7)), ("9 2", (2, 2)), ("1 1", (2, 2))):
        graph = nnp.loads(WRITTEN.format("").replace("2 2", declared)).graph
        assert struct.unpack_from("<ii", binparam.dumps(graph), 4) == written
    graph = nnp.loads(WRITTEN.format("").replace("2 2", "2 7")).graph
    graph.layer("relu").name = "edited"
    assert struct.unpack_from("<ii", binparam.dumps(graph), 4) == (2, 2)
