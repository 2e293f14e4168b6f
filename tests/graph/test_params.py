"""``layer.params`` and ``layer[...]``."""

from __future__ import annotations

import pytest

import ncnnparam as nnp
from ncnnparam.errors import GraphError, NotFoundError
from ncnnparam.graph import Layer

HEAD = "7767517\n1 1\n"


def layer(line: str) -> Layer:
    return nnp.loads(HEAD + line + "\n").graph.layers[0]


def line(layer: Layer) -> str:
    assert layer.graph is not None
    return nnp.dumps(layer.graph).splitlines()[2]


def params(layer: Layer) -> str:
    return " ".join(param.text for param in layer.params.raw)


def test_it_is_a_mapping() -> None:
    relu = layer('Convolution c 0 1 x 0=16 -23303=2,1,2 5=0.50 6="a b"')
    assert dict(relu.params) == {0: 16, 3: (1, 2), 5: 0.5, 6: "a b"}
    assert len(relu.params) == 4
    assert 0 in relu.params
    assert 1 not in relu.params
    assert relu.params.get(1, 7) == 7
    assert repr(relu.params) == "Params({0: 16, 3: (1, 2), 5: 0.5, 6: 'a b'})"
    with pytest.raises(NotFoundError, match="'c' does not state param 1"):
        relu.params[1]
    with pytest.raises(KeyError):
        del relu.params[1]


def test_setting_keeps_place_and_style() -> None:
    one = layer('T t 0 1 x 0=1 5=1,2 -23303=1,9 6="a" 7=b 8=0.5')
    one.params[5] = (3,)
    one.params[3] = [4, 5]
    one.params[6] = "c"
    one.params[7] = "d"
    one.params[0] = 2
    one.params[8] = 1
    one.params[1] = 0.25
    assert params(one) == '0=2 5=3, -23303=2,4,5 6="c" 7=d 8=1 1=0.25'


def test_setting_the_same_keeps_the_spelling() -> None:
    text = "T    t  0 1 x  0=1.000000e-05 1=+7  -23303=2,01,2   "
    one = layer(text)
    one.params[0] = 1e-5
    one.params[1] = 7
    one.params[3] = (1, 2)
    assert line(one) == text


def test_an_int_is_not_the_float() -> None:
    one = layer("T t 0 1 x 0=1")
    one.params[0] = 1.0
    assert params(one) == "0=1.0"


def test_of_repeated_ids_the_last_counts() -> None:
    one = layer("T t 0 1 x 0=1 1=5 0=2")
    assert one.params[0] == 2
    assert list(one.params) == [0, 1]
    one.params[0] = 3
    assert params(one) == "0=1 1=5 0=3"
    del one.params[0]
    assert params(one) == "1=5"


@pytest.mark.parametrize("id", [32, -1, 1.0, True, "0"])
def test_bad_ids(id: object) -> None:
    one = layer("T t 0 1 x 0=1")
    with pytest.raises(GraphError, match=r"layer 't'.*within 0 to 31"):
        one.params[id] = 5
    assert params(one) == "0=1"


@pytest.mark.parametrize("value", [None, True, 2**31, 1e39, float("nan"), "a\nb", (1, "a"), {}, b"x"])
def test_bad_values(value: object) -> None:
    one = layer("T t 0 1 x 0=1")
    with pytest.raises(GraphError, match="param 0 of layer 't'"):
        one.params[0] = value
    assert params(one) == "0=1"


def test_update_sets_all_or_none() -> None:
    one = layer("T t 0 1 x 0=1")
    one.params.update({0: 2, 1: 0.5})
    assert params(one) == "0=2 1=0.5"
    with pytest.raises(GraphError, match="param 99"):
        one.params.update({0: 3, 99: 1})
    assert params(one) == "0=2 1=0.5"


# ---- by name ---------------------------------------------------------------------------------------


def test_by_name() -> None:
    conv = layer("Convolution c 0 1 x 0=16 1=3")
    assert (conv["num_output"], conv["kernel_w"], conv["kernel_h"], conv["bias_term"]) == (16, 3, 3, 0)
    conv["num_output"] = 32
    conv["activation_params"] = [0.1]
    conv["dilation_w"] = 2
    assert params(conv) == "0=32 1=3 -23310=1,0.1 2=2"
    del conv["dilation_w"]
    assert conv["dilation_w"] == 1
    assert conv["shape_hints"] == ()
    with pytest.raises(NotFoundError, match="does not state"):
        del conv["dilation_w"]


def test_an_int_for_a_float_is_written_as_a_float() -> None:
    relu = layer("ReLU r 0 1 x")
    relu["slope"] = 1
    assert params(relu) == "0=1.0"
    relu["slope"] = True
    assert params(relu) == "0=1.0"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("slope", "a"),
        ("slope", (1,)),
        ("slope", 10**400),
        ("slope", 10**39),
        ("featmask", 0.5),
        ("featmask", 2**31),
    ],
)
def test_values_of_the_wrong_kind(name: str, value: object) -> None:
    relu = layer("ReLU r 0 1 x")
    with pytest.raises(GraphError, match="layer 'r'"):
        relu[name] = value
    assert params(relu) == ""


def test_unknown_names_and_types() -> None:
    conv = layer("Convolution c 0 1 x")
    with pytest.raises(NotFoundError, match=r"no param 'kernelw'.*\n.*kernel_w"):
        conv["kernelw"]
    with pytest.raises(NotFoundError, match=r"no param 'x'.*\n.*num_output"):
        conv["x"] = 1
    with pytest.raises(NotFoundError, match=r"'Convolutoin'.*\n.*Convolution"):
        layer("Convolutoin c 0 1 x")["num_output"]
    with pytest.raises(NotFoundError, match="use the id"):
        layer("my.own c 0 1 x")["num_output"]
