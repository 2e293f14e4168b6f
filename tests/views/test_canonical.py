"""Canonical form: same layers, same spelling, once and for all."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam.errors import GraphError, ParseError
from ncnnparam.syntax import LayerLine, parse, read_text
from ncnnparam.views.canonical import canonical

BLANKS = st.text(alphabet=" \t\v\f", min_size=1, max_size=4)
LAYERS = [
    ["Input", "in0", "0", "1", "in0"],
    ["Reshape", "r\u00e9", "1", "1", "in0", "x", "0=1", '6="1w, 1h"', "-23304=0"],
    ["Softmax", "0=5", "1", "1", "x", "\udcff", "0=0", "1=1", "5=1.e-5", "6=2.f"],
]


def says(line: LayerLine) -> tuple[object, ...]:
    return line.type, line.name, line.inputs, line.outputs, line.params


@given(st.data())
def test_any_layout_gives_one_form(data: st.DataObject) -> None:
    newline = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    lines = [
        "".join(word + data.draw(BLANKS) for word in words) + newline * data.draw(st.integers(1, 3))
        for words in LAYERS
    ]
    text = canonical(parse(f"{newline}7767517 3{data.draw(BLANKS)}9{newline}" + "".join(lines)))
    assert text == "7767517\n3 3\n" + "".join(
        f"{words[0]:<24} {words[1]:<24} {' '.join(words[2:])}\n" for words in LAYERS
    )
    assert canonical(parse(text)) == text


def test_params_over_several_lines_are_joined() -> None:
    text = canonical(parse("7767517\n1 1\nInput in0 0 1 in0 0=1\n1=2 2=3\n"))
    assert text.splitlines()[2].endswith("in0 0=1 1=2 2=3")


def test_real_files(shared: Path) -> None:
    """Every readable file of the corpus keeps what it says; one is refused, for it has too many layers."""
    done = 0
    refused = []
    for path in sorted((shared / "corpus").rglob("*.param")):
        try:
            tree = parse(read_text(path))
        except ParseError:
            continue
        try:
            text = canonical(tree)
        except GraphError:
            refused.append(path.name)
            continue
        again = parse(text)
        assert [says(line) for line in again.layers] == [says(line) for line in tree.layers], path.name
        assert again.header.layer_count == tree.header.layer_count
        assert canonical(again) == text
        done += 1
    assert done > 100
    assert len(refused) == 1


@pytest.mark.parametrize("drop", [False, True])
def test_blank_lines_at_the_end_are_no_content(drop: bool) -> None:
    tree = parse("7767517\n1 1\nInput in0 0 1 in0\n\n \n")
    assert canonical(tree, drop_trailing=drop).count("\n") == 3
