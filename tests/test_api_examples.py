"""The examples of the design, as far as they need neither weights nor passes: they must stay this short."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

import ncnnparam as nnp

ENCODER = """7767517
7 8
Input                    in0                      0 1 in0
InnerProduct             fc_0                     1 1 in0 1 0=512 1=1 2=40960
Split                    splitncnn_0              1 2 1 2 3
Sigmoid                  gate                     1 1 2 4
BinaryOp                 mul_0                    2 1 4 3 143 0=2
InnerProduct             fc_1                     1 1 143 5 0=500 1=1 2=256000
Softmax                  softmax                  1 1 5 out0 0=1 1=1
"""


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    path = tmp_path / "encoder.param"
    path.write_text(ENCODER)
    return path


def test_load_look_edit_save(encoder: Path) -> None:
    model = nnp.load(encoder)
    graph = model.graph
    seen = []
    for layer in graph.find("InnerProduct"):  # safe to mutate while iterating
        seen.append((layer.name, layer["num_output"], layer.inputs[0].producer))

        relu = graph.insert_after(layer, "ReLU", slope=0.1)  # names, counts, links, Split: kept
        layer["activation_type"] = 1  # symbolic; layer.params[9] works too
        assert layer.params[9] == 1
        graph.remove(relu)  # reconnects; refuses if it can't
    assert seen == [("fc_0", 512, graph.layer("in0")), ("fc_1", 500, graph.layer("mul_0"))]

    out = encoder.with_name("out.param")
    nnp.save(model, out)
    assert out.read_text() == ENCODER.replace("2=40960", "2=40960 9=1").replace("2=256000", "2=256000 9=1")


def test_an_inserted_layer_stands_between_the_layer_and_all_its_readers(encoder: Path) -> None:
    graph = nnp.load(encoder).graph
    relu = graph.insert_after(graph.layer("fc_0"), "ReLU", slope=0.1)
    assert relu["slope"] == 0.1
    assert relu.inputs[0].producer is graph.layer("fc_0")
    assert {use.layer.name for use in relu.outputs[0].readers} == {"gate", "mul_0"}
    assert nnp.dumps(graph).splitlines()[1] == "8 9"


def test_extract(encoder: Path) -> None:
    graph = nnp.load(encoder).graph
    part = graph.extract(inputs=["in0"], outputs=["143"])
    assert [layer.name for layer in part] == ["in0", "fc_0", "splitncnn_0", "gate", "mul_0"]
    assert [blob.name for blob in part.outputs] == ["143"]


def test_extract_names_what_is_missing(encoder: Path) -> None:
    graph = nnp.load(encoder).graph
    with pytest.raises(nnp.GraphError, match=r"'out0' needs '1'|'out0' needs 'in0'"):
        graph.extract(inputs=["4"], outputs=["out0"])
    with pytest.raises(nnp.NotFoundError, match=r"no blob '1433'\n.*did you mean 143"):
        graph.extract(inputs=["in0"], outputs=["1433"])


def test_the_package_docstring_is_true() -> None:
    assert doctest.testmod(nnp).attempted > 2
    assert doctest.testmod(nnp).failed == 0


def test_all_names_are_there() -> None:
    assert sorted(nnp.__all__) == nnp.__all__
    assert all(hasattr(nnp, name) for name in nnp.__all__)
    errors = [getattr(nnp, name) for name in nnp.__all__ if name.endswith("Error")]
    assert all(issubclass(error, nnp.NcnnParamError) for error in errors)
