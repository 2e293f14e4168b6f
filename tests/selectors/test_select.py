"""What selectors mean in a graph."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ncnnparam as nnp
from ncnnparam.errors import NotFoundError, ParseError
from ncnnparam.graph import Graph, Layer
from ncnnparam.selectors import select
from tests.diff.graphs import graphs

SMALL = """7767517
11 13
Input            in0     0 1 in0
Convolution      conv1   1 1 in0 c 0=8 1=3 6=216 9=2 -23310=1,0.1
Split            sp      1 2 c c0 c1
ReLU             relu    1 1 c0 r 0=0.1
Sigmoid          Softmax 1 1 c1 s
BinaryOp         add     2 1 r s t
BinaryOp         0=5     1 1 t u 0=2 1=1 2=2.5
Slice            cut     1 2 u v w -23300=2,-233,-233 1=0
Mine             own     1 1 v out0 0=7 3=abc -23304=2,1,2
Softmax          prob    1 1 w out1 0=0 1=1
InnerProduct     r[1]    0 1 far 0=2 1=1 2=6
"""


@pytest.fixture(scope="module")
def graph() -> Graph:
    return nnp.loads(SMALL).graph


def names(graph: Graph, text: str) -> list[str]:
    return [layer.name for layer in select(graph, text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Convolution", "conv1"),
        ("Convolution|ReLU", "conv1 relu"),
        ("S*", "sp Softmax cut prob"),
        ("S[lp]*|[!A-R]oftmax", "sp cut prob"),
        ("?ine", "own"),
        ("Pooling", ""),
        ("X*", ""),
        ("type=S*|ReLU", "sp relu Softmax cut prob"),
        ("type!=*[a-z]", "relu"),
        ("not S* and not BinaryOp", "in0 conv1 relu own r[1]"),
        # params: stated, default, default that is another param, by id, as words
        ("*[kernel_w=3]", "conv1"),
        ("Convolution[kernel_h=3, dilation_w=1]", "conv1"),
        ("Convolution[11=3]", "conv1"),
        ("Convolution[kernel_h!=3]", ""),
        ("Convolution|InnerProduct[num_output>=2, num_output<=8]", "conv1 r[1]"),
        ("*[num_output>2]", "conv1"),
        ("BinaryOp[op_type=add]", "add"),
        ("BinaryOp[op_type!=add|sub]", "0=5"),
        ("BinaryOp[op_type=add|mul]", "add 0=5"),
        ("BinaryOp[with_scalar=on, b>2]", "0=5"),
        ("BinaryOp[b=2.5]", "0=5"),
        ("BinaryOp[b=0]", "add"),
        ("ReLU[slope=0.1]", "relu"),  # as float32
        ("ReLU[slope<1]", "relu"),
        ("Convolution[activation_params=0.1]", "conv1"),
        ("*[slices=-233,-233]", "cut"),
        ("InnerProduct[activation_params=[]]", "r[1]"),
        ("Mine[0=7]", "own"),
        ("Mine[3=abc]", "own"),
        ("Mine[4=1,2]", "own"),
        ("Mine[5=0]", ""),  # not stated, and nobody knows the default
        ("*[0=2]", "0=5 r[1]"),
        # traits
        ("name=conv1|relu", "conv1 relu"),
        ("name=r*", "relu r[1]"),
        ('name="r[1]"', "r[1]"),
        ('name="0=5"', "0=5"),
        ("name!=*[a-z0-9]", "r[1]"),
        ("name!=in0|conv1|*e*|*t|s*|c*", "Softmax add 0=5 own prob r[1]"),
        ("line=4", "conv1"),
        ("line<=4", "in0 conv1"),
        ("index=0|2", "in0 sp"),
        ("index!=0|1 and index<3", "sp"),
        ("inputs=2", "add"),
        ("inputs=0", "in0 r[1]"),
        ("outputs>1", "sp cut"),
        ("weights>0", "conv1 r[1]"),
        ("weights=2", "r[1]"),
        # places
        ("after(in0)", "conv1 sp relu Softmax add 0=5 cut own prob"),
        ("after(c0)", "relu add 0=5 cut own prob"),
        ("after(w)", "prob"),
        ("after(far)", ""),
        ("after(out0)", ""),
        ("before(out0)", "in0 conv1 sp relu Softmax add 0=5 cut own"),
        ("before(own)", "in0 conv1 sp relu Softmax add 0=5 cut"),
        ("before(s)", "in0 conv1 sp Softmax"),
        ("before(in0)", ""),
        ("between(conv1, t)", "sp relu Softmax add"),
        ("between(relu, prob)", "add 0=5 cut"),
        ("between(prob, relu)", ""),
        ("after(Softmax)", "add 0=5 cut own prob"),  # the layer of that name
        ("after(type=Softmax)", ""),
        ('after("0=5")', "cut own prob"),
        ("after(BinaryOp)", "0=5 cut own prob"),
        ("after(BinaryOp[op_type=mul])", "cut own prob"),
        ("after(Pooling)", ""),
        ("before(ReLU or Sigmoid)", "in0 conv1 sp"),
        ("after(between(conv1, add)) and not Split", "add 0=5 cut own prob relu Softmax"),
        ("after(name=relu)", "add 0=5 cut own prob"),
        # joined
        ("ReLU or Sigmoid and index=0", "relu"),
        ("(ReLU or Sigmoid) and index=0", ""),
        ("not ReLU and before(add)", "in0 conv1 sp Softmax"),
        ("not (ReLU or before(add))", "add 0=5 cut own prob r[1]"),
        ("not not ReLU", "relu"),
    ],
)
def test_meaning(graph: Graph, text: str, wanted: str) -> None:
    order = [layer.name for layer in graph]
    assert names(graph, text) == sorted(wanted.split(), key=order.index)


@pytest.mark.parametrize(
    ("text", "error", "message", "hint"),
    [
        ("Convolutoin", ParseError, "there is no layer type 'Convolutoin'", "did you mean Convolution"),
        ("Min", ParseError, "there is no layer type 'Min'", "Mine"),
        ("ReLU or conv1", ParseError, "there is no layer type 'conv1'", "a layer of that name: name=conv1"),
        ("type=Min", ParseError, "there is no layer type 'Min'", "Mine"),
        ("Mine[size=7]", ParseError, "the params of 'Mine' are not known", "use the id"),
        ("name=relu|rel", NotFoundError, "there is no layer 'rel'", "did you mean relu?"),
        ("not name=rel", NotFoundError, "there is no layer 'rel'", "did you mean relu?"),
        ("after(convv1)", NotFoundError, "there is no layer, blob or type 'convv1'", "did you mean conv1?"),
        ("after(Sigmod)", NotFoundError, "there is no layer, blob or type 'Sigmod'", "Sigmoid"),
        ('before("Convolution")', NotFoundError, "there is no layer or blob 'Convolution'", None),
    ],
)
def test_what_does_not_exist(
    graph: Graph, text: str, error: type[Exception], message: str, hint: str | None
) -> None:
    with pytest.raises(error) as raised:
        select(graph, text)
    assert message in str(raised.value)
    assert hint is None or f"hint: {hint}" in str(raised.value) or hint in str(raised.value)


def test_an_unknown_type_is_shown_in_its_place(graph: Graph) -> None:
    with pytest.raises(ParseError) as raised:
        select(graph, "ReLU or Convolutoin")
    assert raised.value.column == 9


def test_a_broken_graph_with_a_circle() -> None:
    graph = nnp.loads("7767517\n3 3\nReLU a 1 1 z x\nReLU b 1 1 x y\nReLU c 1 1 y z\n").graph
    assert names(graph, "after(a)") == names(graph, "before(x)") == ["a", "b", "c"]


def test_layers_of_one_name() -> None:
    graph = nnp.loads("7767517\n3 3\nInput in0 0 1 in0\nReLU r 1 1 in0 x\nReLU r 1 1 x y\n").graph
    assert names(graph, "name=r") == ["r", "r"]


def test_layers_made_in_memory_have_no_line() -> None:
    graph = nnp.Graph()
    graph.add("Input", "in0")
    assert names(graph, "line>0") == names(graph, "line!=7") == []
    assert names(graph, "index=0") == ["in0"]


# ---- the same, said in Python -----------------------------------------------------------------------


def depends(layer: Layer, other: Layer) -> bool:
    """Whether a layer depends on another, by the definition: it reads from it or from one that does."""
    producers = [blob.producer for blob in layer.inputs if blob.producer is not None]
    return any(producer is other or depends(producer, other) for producer in producers)


FILTERS = {
    "ReLU": lambda layer: layer.type == "ReLU",
    "Conv*|Min*": lambda layer: fnmatchcase(layer.type, "Conv*") or layer.type == "Mine",
    "Convolution[num_output>8]": lambda layer: layer.type == "Convolution" and layer["num_output"] > 8,
    "*[kernel_h=3]": lambda layer: layer.type == "Convolution" and layer["kernel_h"] == 3,
    "BinaryOp[op_type=add|mul]": lambda layer: layer.type == "BinaryOp" and layer["op_type"] in (0, 2),
    "Min*[0=1,2]": lambda layer: layer.type == "Mine" and layer.params.get(0) == (1, 2),
    "name=layer1*": lambda layer: re.match("layer1", layer.name) is not None,
    "inputs!=1": lambda layer: len(layer.inputs) != 1,
    "index>=4": lambda layer: list(layer.graph).index(layer) >= 4,
    "after(in0)": lambda layer: depends(layer, layer.graph.layer("in0")),
    "before(layer0)": lambda layer: depends(layer.graph.layer("layer0"), layer),
    "after(Convolution)": lambda layer: any(depends(layer, one) for one in layer.graph.find("Convolution")),
    "between(BinaryOp, Min*)": lambda layer: (
        any(depends(layer, one) for one in layer.graph.find("BinaryOp"))
        and any(depends(one, layer) for one in layer.graph.find("Mine"))
    ),
}


@given(graphs(size=8), st.sampled_from(sorted(FILTERS)), st.sampled_from(sorted(FILTERS)))
def test_agrees_with_a_plain_filter(graph: Graph, one: str, other: str) -> None:
    first, second = FILTERS[one], FILTERS[other]
    both = [layer for layer in graph if first(layer) and not second(layer)]
    assert select(graph, f"({one}) and not ({other})") == both
    assert select(graph, f"{one} or {other}") == [layer for layer in graph if first(layer) or second(layer)]


def test_the_block_on_the_page(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```$", (root / "docs/selectors.md").read_text(), re.M | re.S)
    monkeypatch.chdir(root / "ncnnparam/demo")
    known: dict[str, object] = {}
    exec(compile(block, "docs/selectors.md", "exec"), known)
    graph, parts = known["graph"], known["parts"]
    assert isinstance(graph, Graph)
    assert isinstance(parts, list)
    assert [layer.name for layer in graph if 31 in layer.params] == ["conv_32", "conv_33", "conv_34"]
    assert parts[0].name == "conv_32"
    assert len(parts) > 100
