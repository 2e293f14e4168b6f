"""Byte for byte what ncnn2mem writes, but for its faults."""

from __future__ import annotations

import pytest

import ncnnparam as nnp
from ncnnparam import binparam

from .goldens import FOLDER, Golden, goldens

GOLDENS = list(goldens()) or [pytest.param(None, marks=pytest.mark.skip("needs ../shared"))]


@pytest.mark.parametrize("golden", GOLDENS)
def test_param_bin(golden: Golden) -> None:
    data = binparam.dumps(nnp.load(golden.param).graph)
    assert golden.as_tool(data) == golden.made(".param.bin")


@pytest.mark.parametrize("golden", GOLDENS)
def test_id_header(golden: Golden) -> None:
    header = binparam.id_header(nnp.load(golden.param).graph, golden.name)
    assert header.encode() == golden.made(".id.h")


@pytest.mark.parametrize("name", ["old", "k30"])
def test_mem_header(name: str) -> None:
    if not FOLDER.is_dir():
        pytest.skip("needs ../shared")
    golden = Golden(name, FOLDER / f"{name}.param")
    graph = golden.as_tool(binparam.dumps(nnp.load(golden.param).graph))
    weights = golden.made(".bin")
    for size in (len(weights), 1, 7, 16):
        pieces = [weights[start : start + size] for start in range(0, len(weights), size)]
        assert b"".join(binparam.mem_header(name, graph, pieces)) == golden.made(".mem.h")


@pytest.mark.parametrize("golden", GOLDENS)
def test_reads_what_the_tool_wrote(golden: Golden) -> None:
    data = golden.made(".param.bin")
    names = binparam.read_id_header(golden.made(".id.h").decode())
    reading = binparam.read(data, names)
    assert binparam.dumps(reading.graph) == data
    assert reading.leftover == 0
    original = nnp.load(golden.param).graph
    assert [layer.type for layer in reading.graph] == [layer.type for layer in original]
    assert [layer.name for layer in reading.graph] == [binparam.sanitized(layer.name) for layer in original]


def test_a_string_of_14_characters() -> None:
    """ncnn2mem stops there, in bad14; there is no reason to."""
    if not FOLDER.is_dir():
        pytest.skip("needs ../shared")
    graph = nnp.load(FOLDER / "bad14.param").graph
    assert binparam.loads(binparam.dumps(graph)).layer("custom256_1").params[0] == "12345678901234"
