"""The reader of ``.pnnx.param``: what it gives, and what it says of files that are none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam.errors import FileError, ParseError
from ncnnparam.passes.pnnx import beside, parse_pnnx, read_pnnx
from ncnnparam.passes.pnnx.text import MAX_OUTPUTS, numbered_outputs

from .vectors import KINDS, STEM

SMALL = """\
7767517
6 6
pnnx.Input               pnnx_input_0             0 1 0 #0=(1,?,80)f32
nn.Linear                fc 1 1 0 1 bias=True in_features=80 @weight=(4,80)f32 #1=(1,9,4)f32
Tensor.reshape           Tensor.reshape_7         1 1 1 2 shape=(1,-1,2) $input=1
pnnx.Expression          list                     2 1 1 2 3 expr=[@0,@1]
prim::TupleConstruct     tuple                    2 1 3 0 4
pnnx.Output              pnnx_output_0            1 0 4
"""


def test_operators() -> None:
    graph = parse_pnnx(SMALL)
    linear = graph.operator("fc")
    assert linear is not None
    assert (linear.type, linear.inputs, linear.outputs, linear.line) == ("nn.Linear", ("0",), ("1",), 4)
    assert linear.params == {"bias": "True", "in_features": "80"}
    assert linear.arrays["weight"].shape == (4, 80)
    assert linear.int("in_features") == 80
    assert linear.ints("bias") is None
    assert linear.int("out_features") is None
    reshape = graph.operator("Tensor.reshape_7", "Tensor.reshape")
    assert reshape is not None
    assert reshape.ints("shape") == (1, -1, 2)
    assert reshape.int("shape") is None
    assert graph.operator("fc", "nn.Conv1d") is None


def test_blobs() -> None:
    graph = parse_pnnx(SMALL)
    assert graph.sizes("1") == (1, 9, 4)
    assert graph.sizes("0") is None  # one size is not known
    assert graph.shapes["0"].shape == (1, None, 80)
    assert graph.sizes("2") is None
    producer = graph.producer("2")
    assert producer is not None
    assert producer.name == "Tensor.reshape_7"
    assert [reader.name for reader in graph.readers("1")] == ["Tensor.reshape_7", "list"]


def test_outputs_are_unfolded() -> None:
    graph = parse_pnnx(SMALL)
    assert graph.outputs == ["1", "2", "0"]
    assert list(numbered_outputs(graph)) == [("out0", (1, 9, 4))]


def test_tuples_of_tuples_do_not_unfold_for_ever() -> None:
    depth = 60
    rows = ["pnnx.Input i 0 1 0"]
    rows += [f"prim::TupleConstruct t{n} 2 1 {n} {n} {n + 1}" for n in range(depth)]
    rows.append(f"pnnx.Output o 1 0 {depth}")
    graph = parse_pnnx(f"7767517\n{len(rows)} {depth + 1}\n" + "\n".join(rows))
    assert len(graph.outputs) == MAX_OUTPUTS


@pytest.mark.parametrize("kind", KINDS)
def test_real_files(kind: str, shared: Path) -> None:
    path = shared / "vectors" / kind / "raw/fp32" / f"{STEM}.pnnx.param"
    graph = read_pnnx(path)
    lines = path.read_text().splitlines()
    assert len(graph.operators) == int(lines[1].split()[0]) == len(lines) - 2


LINE = "F.relu r 1 1 0 1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no .pnnx.param"),
        ("hello\n", "no .pnnx.param"),
        ("7767517\n", "two counts"),
        ("7767517\n3 x\n", "two counts"),
        ("7767517\n3\n", "two counts"),
        ("7767517\n9999999 1\n", "more than"),
        (f"7767517\n3 2\npnnx.Input i 0 1 0\n{LINE}\n", "declares 3 operators and has 2"),
        ("7767517\n1 1\npnnx.Input i 0\n", "an operator is"),
        ("7767517\n1 1\npnnx.Input i 0 -1 0\n", "an operator is"),
        ("7767517\n1 1\na=b i 0 1 0\n", "no type"),
        ("7767517\n1 1\npnnx.Input i 0 999999999999 0\n", "blobs"),
        ("7767517\n1 1\npnnx.Input i 0 1 #0=(1)f32\n", "blobs"),
        ("7767517\n1 1\npnnx.Input i 0 1 0 #0=(1,x)f32\n", "no shape"),
        ("7767517\n1 1\npnnx.Input i 0 1 0 word\n", "no key=value"),
        (f"7767517\n1 1\n{LINE}\n", "'0' is not written above"),
        ("7767517\n2 1\npnnx.Input i 0 1 0\npnnx.Input j 0 1 0\n", "'0' is written twice"),
    ],
)
def test_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ParseError, match=re.escape(said)) as caught:
        parse_pnnx(text, name="m.pnnx.param")
    assert "m.pnnx.param" in str(caught.value)


def test_a_missing_or_too_large_file(tmp_path: Path) -> None:
    path = tmp_path / "m.pnnx.param"
    with pytest.raises(FileError):
        read_pnnx(path)
    path.write_text(SMALL)
    with pytest.raises(FileError, match="large"):
        read_pnnx(path, max_size=100)


def test_the_file_beside_a_model(tmp_path: Path) -> None:
    assert beside(str(tmp_path / "a.ncnn.param")) is None
    (tmp_path / "a.pnnx.param").write_text(SMALL)
    assert beside(str(tmp_path / "a.ncnn.param")) == str(tmp_path / "a.pnnx.param")
    assert beside(str(tmp_path / "a.param")) is None


WORDS = st.sampled_from(
    [
        "pnnx.Input",
        "a",
        "0",
        "1",
        "2",
        "-1",
        "=",
        "#0=(1,2)f32",
        "@w=()f32",
        "$i=0",
        "x=(1,?)",
        "\t",
        "\n",
        "()",
    ]
)


@given(st.lists(WORDS, max_size=30), st.integers(0, 4))
def test_strange_text_is_read_or_refused(words: list[str], count: int) -> None:
    text = f"7767517\n{count} 1\n" + " ".join(words)
    try:
        graph = parse_pnnx(text)
    except ParseError:
        return
    assert len(graph.operators) == count
    assert len(graph.outputs) <= MAX_OUTPUTS
