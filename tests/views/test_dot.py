"""Drawings: every layer and every blob is there, and names are only text."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import ncnnparam as nnp
from ncnnparam.views.dot import dot

QUOTED = r'"(?:[^"\\]|\\.)*"'


def edges(text: str) -> list[tuple[str, str, str]]:
    """The edges of a drawing with their labels, which must be well-formed strings."""
    return re.findall(rf"^  (\w+) -> (\w+) \[label=({QUOTED})\]$", text, re.M)


def test_layers_splits_and_blobs() -> None:
    layers = "Input in0 0 1 in0 0=4 1=3\nSplit s 1 2 in0 a b\nReLU r 1 1 a c 0=.5\nConcat k 2 1 c b out\n"
    text = dot(nnp.loads(f"7767517\n4 5\n{layers}").graph)
    assert edges(text) == [
        ("l0", "l1", '"in0 4x3"'),
        ("l1", "l2", '"a"'),
        ("l1", "l3", '"b"'),
        ("l2", "l3", '"c"'),
        ("l3", "out4", '"out"'),
    ]
    assert '  l1 [shape=point width=0.08 label="" tooltip="Split s"]\n' in text
    assert '  l2 [label="ReLU\\nr" tooltip="ReLU r slope=.5"]\n' in text


def test_broken_files_can_be_drawn() -> None:
    text = dot(nnp.loads("7767517\n3 3\nReLU a 1 1 ghost x\nReLU b 1 1 x y\nReLU c 1 1 x z\n").graph)
    assert [edge[:2] for edge in edges(text)] == [
        ("in0", "l0"),
        ("l0", "l1"),
        ("l0", "l2"),
        ("l1", "out2"),
        ("l2", "out3"),
    ]
    assert '  in0 [label="ghost"' in text


@pytest.mark.parametrize("name", ['"', "\\", '\\"', "\\N", '"];x[', "a\\", "<b>"])
def test_names_stay_inside_their_quotes(name: str) -> None:
    text = dot(nnp.loads(f"7767517\n1 1\nInput {name} 0 1 {name}\n").graph)
    rest = re.sub(QUOTED, "", text)
    assert '"' not in rest
    assert name not in rest
    assert f'label="Input\\n{name.replace(chr(92), chr(92) * 2).replace(chr(34), chr(92) + chr(34))}"' in text


def test_long_edges_of_large_graphs_are_cut() -> None:
    chain = [f"ReLU r{n} 1 1 b{n} b{n + 1}" for n in range(250)]
    head = "7767517\n253 254\nInput in0 0 1 x\nSplit s 1 2 x b0 far\n"
    text = dot(nnp.loads(head + "\n".join(chain) + "\nConcat k 2 1 b250 far out\n").graph)
    assert ("l1", "l252", '"far"') not in edges(text)
    assert text.count('label="far"') == 2  # where it leaves and where it comes
    assert ("l251", "l252", '"b250"') in edges(text)


@pytest.mark.skipif(shutil.which("nop") is None, reason="needs Graphviz")
def test_graphviz_reads_drawings_of_real_files(shared: Path) -> None:
    for path in sorted((shared / "corpus/icefall").glob("*.param")):
        if not path.name.endswith(".pnnx.param"):
            drawing = dot(nnp.load(path).graph).encode()
            done = subprocess.run(["nop"], input=drawing, capture_output=True, timeout=60, check=False)
            assert (done.returncode, done.stderr) == (0, b""), path.name
