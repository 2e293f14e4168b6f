"""Where a pattern fits, what it binds, and why it does not fit elsewhere."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ncnnparam.errors import NotFoundError
from ncnnparam.graph import Graph
from ncnnparam.patterns import MatchResult, find_matches, parse_pattern
from tests.graph.short import graph_of
from tests.patterns.nets import networks

CHAIN = "Input in 0 1 x / Convolution c 1 1 x y 0=8 1=3 / ReLU r 1 1 y z / Noop n 1 1 z w / Noop m 1 1 w out"


def search(body: str, pattern: str) -> MatchResult:
    return find_matches(graph_of(body), parse_pattern(pattern.replace(" / ", "\n")), explain=True)


def names(body: str, pattern: str) -> list[tuple[str, ...]]:
    return [match.names for match in search(body, pattern).matches]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("ReLU a 1 1 x y", [("r",)]),
        ("Conv* a 1 1 x y", [("c",)]),
        ("Pooling|ReLU a 1 1 x y", [("r",)]),
        ("* a 1 1 x y", [("c",), ("r",), ("n",), ("m",)]),
        ("Noop b 1 1 x y / Noop a 1 1 w x", [("n", "m")]),
        ("* a 0 1 x / * b 1 1 x y", [("in", "c")]),
        ("Convolution c 1 1 x y 0=8", [("c",)]),
        ("Convolution c 1 1 x y num_output=8 kernel_h=3 9=0 bias_term!=1", [("c",)]),
        ("Convolution c 1 1 x y 0>=8 0<9 0>7 0<=8", [("c",)]),
        ("Convolution c 1 1 x y 0=1|8", [("c",)]),
        ("Convolution c 1 1 x y 0!=1|8", []),
        ("Convolution c 1 1 x y 0=?n 11=?n", []),
        ("Convolution c 1 1 x y 1=?n 11=?n 0={3 * n - 1}", [("c",)]),
        ("Convolution c 1 1 x y activation_params=[] activation_type=none", [("c",)]),
        ("ReLU r 1 1 x y slope=0", [("r",)]),
        ("Noop r 1 1 x y 0=0", []),
        ("ReLU r 1 1 x y / Noop n* 1 1 y z", [("r", "n", "m")]),
        ("ReLU r 1 1 x y / Noop n+ 1 1 y z", [("r", "n", "m")]),
        ("ReLU r 1 1 x y / Noop n? 1 1 y z / Noop k 1 1 z w", [("r", "n")]),
        ("Noop n* 1 1 x y / Noop k 1 1 y z", [("n",), ("m",)]),
        ("Convolution c 1 1 x y / Noop n* 1 1 y z / ReLU r 1 1 z w", [("c", "r")]),
        ("Convolution c 1 1 x y / Noop n+ 1 1 y z / ReLU r 1 1 z w", []),
        ("Convolution c 1 1 x y / ReLU r 1 1 y z 0!=0", []),
    ],
)
def test_finds(pattern: str, found: list[tuple[str, ...]]) -> None:
    assert names(CHAIN, pattern) == found


def test_a_match_gives_layers_blobs_and_values() -> None:
    pattern = "Convolution conv 1 1 a b 0=?n kernel_h=?k / ReLU relu 1 1 b c"
    (match,) = search(CHAIN, f"{pattern} / Clip clip? 1 1 c d / Noop no* 1 1 d e").matches
    assert match["conv"].name == "c"
    assert match.get("relu") is match["relu"]
    assert match.get("clip") is None
    assert [layer.name for layer in match.all("no")] == ["n", "m"]
    assert {name: blob.name for name, blob in match.blobs.items()} == {
        "a": "x",
        "b": "y",
        "c": "z",
        "d": "z",
        "e": "out",
    }
    assert match.params == {"n": 8, "k": 3}
    with pytest.raises(NotFoundError, match="has no layer 'rel'"):
        match["rel"]
    with pytest.raises(NotFoundError, match="'no' stands for 2 layers"):
        match["no"]
    with pytest.raises(NotFoundError, match="no layers here"):
        match["clip"]


FORK = (
    "Input in 0 1 x / Split s 1 2 x x0 x1 / ReLU a 1 1 x0 y / Sigmoid b 1 1 x1 z / BinaryOp m 2 1 y z o 0=2"
)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("BinaryOp m 2 1 p q o / ReLU a 1 1 x p", [("a", "m")]),
        ("BinaryOp m 2 1 q p o / ReLU a 1 1 x p", []),
        ("BinaryOp m 2 1 {q p} o / ReLU a 1 1 x p", [("a", "m")]),
        ("BinaryOp m 2 1 {p q} o / Sigmoid b 1 1 x q / ReLU a 1 1 x p", [("a", "b", "m")]),
        ("ReLU a 1 1 x p / Sigmoid b 1 1 x q", [("a", "b")]),
        ("ReLU a 1 1 x p / ReLU b 1 1 x q", []),
        ("BinaryOp m 2 1 _ _ o op_type=mul", [("m",)]),
        ("BinaryOp m * 1 all o", [("m",)]),
        ("Input i 0 1 x / ReLU a 1 1 x p", []),
        ("Input i 0 1 >x / ReLU a 1 1 x p", [("in", "a")]),
        ("* a 1 1 x p", [("a",), ("b",)]),
    ],
)
def test_sees_through_splits(pattern: str, found: list[tuple[str, ...]]) -> None:
    assert names(FORK, pattern) == found


def test_groups() -> None:
    (match,) = search(FORK, "BinaryOp m * 1 all o").matches
    assert [blob.name for blob in match.groups["all"]] == ["y", "z"]
    (match,) = search("Input i 0 1 x / Slice s 1 3 x a b c", "Slice s 1 * x parts").matches
    assert [blob.name for blob in match.groups["parts"]] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("body", "pattern", "reason"),
    [
        (CHAIN, "Convolution c 1 1 x y 0=4", "c: 0 of c is 8, the pattern wants 4"),
        (CHAIN, "Convolution c 1 1 x y 0>64", "c: 0 of c is 8, the pattern wants > 64"),
        (
            CHAIN,
            "Convolution c 1 1 x y activation_type=relu",
            "c: activation_type of c is 0 (none), the pattern wants relu",
        ),
        (CHAIN, "Convolution c 1 1 x y 1=?n 0=?n", "c: 0 of c is 8, the pattern wants 3 as elsewhere"),
        (CHAIN, "Convolution c 1 1 x y 1=?n 0={n+1}", "c: 0 of c is 8, the pattern wants 4"),
        (CHAIN, "Convolution c 1 1 x y 1=?n 0={n//0}", "cannot be compared: the formula"),
        (CHAIN, "Convolution c 1 1 x y 25=1", "c: Convolution has no param 25, nor does the layer state it"),
        (CHAIN, "ReLU r 2 1 x y z", "r: r has 1 input, the pattern wants 2"),
        (CHAIN, "ReLU r 1 2 x y z", "r: r has 1 output, the pattern wants 2"),
        (CHAIN, "Clip c 1 1 x y / ReLU r 1 1 y z", "r: c is of type Convolution, the pattern wants Clip"),
        (CHAIN, "ReLU r 1 1 x y / Clip c+ 1 1 y z", "r: n is of type Noop, the pattern wants Clip"),
        (FORK, "ReLU a 1 1 x y / BinaryOp m 2 1 y x w", "does not read and write the blobs"),
        (
            "Input i 0 1 x / ReLU r 1 1 x y / Split s 1 2 y o p / Noop n 1 1 o q",
            "ReLU r 1 1 x y / Noop n 1 1 y z",
            "r, n: blob p is an output of the network",
        ),
        (
            "Input i 0 1 x / ReLU r 1 1 x y / Split s 1 2 y o p / Noop n 1 1 o q / ReLU k 1 1 p t",
            "ReLU r 1 1 x y / Noop n 1 1 y z",
            "r, n: blob y is read by k too",
        ),
        ("ReLU r 1 1 x y", "* a * 1 in x / ReLU r 1 1 x y", "r: no layer writes x"),
        (CHAIN, "Noop a 1 1 x y / ReLU b 1 1 y z", "r: c is of type Convolution, the pattern wants Noop"),
        (CHAIN, "Noop m 1 1 x y / ReLU r+ 1 1 y z", "m: blob out is an output of the network"),
    ],
)
def test_tells_why_not(body: str, pattern: str, reason: str) -> None:
    result = search(body, pattern)
    assert result.matches == []
    assert any(reason in str(miss) for miss in result.misses), [str(miss) for miss in result.misses]


def test_only_near_misses_are_told_unasked() -> None:
    graph = graph_of("Input i 0 1 x / ReLU r 1 1 x y / Split s 1 2 y o p / Noop n 1 1 o q / Noop k 1 1 q u")
    found = find_matches(graph, parse_pattern("ReLU r 1 1 x y\nNoop n 1 1 y z"))
    assert [(miss.names, miss.complete) for miss in found.misses] == [(("r", "n"), True)]


def test_no_layer_is_in_two_matches() -> None:
    body = "Input i 0 1 x / Noop a 1 1 x b / Noop c 1 1 b d / Noop e 1 1 d f / Noop g 1 1 f h"
    assert names(body, "Noop a 1 1 x y / Noop b 1 1 y z") == [("a", "c"), ("e", "g")]


def test_a_missing_layer_needs_another_that_writes_its_output() -> None:
    body = "Input i 0 1 x / Split s 1 2 x x0 x1 / ReLU r 1 1 x0 y / Clip c 1 1 x1 z"
    pattern = "Noop n? 1 1 x y / ReLU r 1 1 x z"
    result = search(body, pattern)
    assert result.matches == []
    assert "no other writes its blob" in str(result.misses[0])


def test_a_chain_of_thousands() -> None:
    layers = "".join(f"Noop n{i} 1 1 b{i} b{i + 1}/" for i in range(5000))
    body = f"Input i 0 1 b0/{layers}ReLU r 1 1 b5000 o"
    (match,) = search(body, "Noop n* 1 1 x y / ReLU r 1 1 y z").matches
    assert len(match.all("n")) == 5000


def test_a_blob_with_thousands_of_readers() -> None:
    count = 3000
    outs = " ".join(f"s{i}" for i in range(count))
    readers = "".join(f"Noop n{i} 1 1 s{i} o{i}/" for i in range(count))
    body = f"Input i 0 1 x/ReLU r 1 1 x y/Split s 1 {count} y {outs}/{readers}"
    result = search(body, "ReLU r 1 1 x y / Noop n 1 1 y z")
    assert (len(result.matches), len(result.misses)) == (0, count)


PLANTED = "BinaryOp add 2 1 {x c} s op_type=div\nTanH t 1 1 x a\nGELU g? 1 1 a c\nELU e+ 1 1 s o"


@given(networks(), st.data())
def test_finds_what_was_planted_and_nothing_else(graph: Graph, data: st.DataObject) -> None:
    planted = set()
    blobs = [blob for blob in graph.blobs if blob.source is blob]
    assert find_matches(graph, parse_pattern(PLANTED)).matches == []
    for _ in range(data.draw(st.integers(0, 3))):
        blob = data.draw(st.sampled_from(blobs))
        tanh = graph.add("TanH", inputs=blob)
        layers = [tanh]
        if data.draw(st.booleans()):
            layers.append(graph.add("GELU", inputs=tanh.outputs[0]))
        order = data.draw(st.permutations([blob, layers[-1].outputs[0]]))
        layers.append(graph.add("BinaryOp", inputs=order, op_type=3))
        for _ in range(data.draw(st.integers(1, 3))):
            layers.append(graph.add("ELU", inputs=layers[-1].outputs[0]))
        planted.add(tuple(layer.name for layer in layers))
    result = find_matches(graph, parse_pattern(PLANTED))
    assert {match.names for match in result.matches} == planted
    assert result.misses == []
