"""A ``.bin`` that does not fit is told with layer, offset and cause."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam.checks import Finding, check
from ncnnparam.checks.pairs import FIT_RULES, Misfit, Pair
from ncnnparam.weights import WeightFile

from ..cases import graph_of
from .conftest import Examine
from .nets import FLOAT, INT8, QUANTISED, float_data, int8_data

FC = 4 + 2 * 72 + 4 * 4
"""Offset of the second layer in ``float_data()``."""


def only(findings: list[Finding]) -> Finding:
    assert len(findings) == 1, findings
    return findings[0]


@pytest.mark.parametrize(
    ("text", "data"), [(FLOAT, float_data()), (FLOAT, float_data("<f4")), (QUANTISED, int8_data())]
)
def test_pairs_that_fit_have_no_finding(examine: Examine, text: str, data: bytes) -> None:
    assert examine(text, data, deep=True) == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git-lfs pointer"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"\x1f\x8b\x08\0\0", "gzip"),
        (FLOAT.encode(), "this is a .param text"),
        (struct.pack("<3i", 7767517, 4, 4), r"this is a .param.bin file"),
    ],
)
def test_files_that_hold_no_weights(examine: Examine, data: bytes, words: str) -> None:
    found = only(examine(FLOAT, data))
    assert found.code == "NP601"
    assert words in found.message
    assert found.hint


def test_weights_that_begin_like_another_format_are_weights(examine: Examine) -> None:
    text = "7767517\n2 2\nInput in0 0 1 in0\nPReLU p 1 1 in0 out0 0=2\n"
    assert examine(text, b"\x1f\x8b\x08\0" + bytes(4)) == []
    assert only(examine(text, b"\x1f\x8b\x08\0")).code == "NP601"


@pytest.mark.parametrize("size", [2**31 - 1, -96, 0])
def test_sizes_that_cannot_be(examine: Examine, size: int) -> None:
    found = only(examine(FLOAT.replace("2=96", f"2={size}"), float_data()))
    assert (found.code, found.layer) == (("NP604" if size > 0 else "NP602"), "fc")
    assert str(size) in found.message


def test_a_product_beyond_int32(examine: Examine) -> None:
    text = "7767517\n2 2\nInput in0 0 1 in0\nGemm g 1 1 in0 out0 5=1 8=65536 9=65536 3=1\n"
    found = only(examine(text, bytes(100)))
    assert (found.code, found.layer) == ("NP602", "g")


@given(cut=st.integers(0, len(float_data()) - 1))
def test_every_cut_is_told_with_what_is_missing(cut: int) -> None:
    data = float_data()[:cut]
    graph = graph_of(FLOAT)
    pair = Pair(graph, WeightFile(memoryview(data)))
    found = only(check(graph, rules=[one.on(pair) for one in FIT_RULES]))
    assert (found.code, pair.misfit) == ("NP604", Misfit.SHORT)
    assert found.hint
    if cut >= 4:  # after the first tag its storage is known
        assert f"this is a fp16 .bin that lacks its last {len(float_data()) - cut} bytes" in found.hint


def test_an_empty_file(examine: Examine) -> None:
    found = only(examine(FLOAT, b""))
    assert (found.code, found.layer, found.offset) == ("NP604", "conv", 0)
    assert "empty" in str(found.hint)


@pytest.mark.parametrize("more", [1, 3, 4, 5, 1000])
def test_more_bytes_at_the_end(examine: Examine, more: int) -> None:
    found = only(examine(FLOAT, float_data() + bytes(more)))
    assert (found.code, found.offset) == ("NP605", len(float_data()))
    assert f"{more} more" in found.message
    assert found.layer is None


@pytest.mark.parametrize("where", [0, 4, 40, 41, FC - 1])
@pytest.mark.parametrize("word", [b"\xaa\xbb\xcc\x3d", b"\x55"])
def test_bytes_put_in_move_the_rest(examine: Examine, where: int, word: bytes) -> None:
    data = float_data()
    found = only(examine(FLOAT, data[:where] + word + data[where:]))
    assert found.code == "NP603"
    if where:
        assert (found.layer, found.offset) == ("fc", FC)
        assert f"{len(word)} bytes too many before offset {FC}" in str(found.hint)
    else:
        assert (found.layer, found.offset) == ("conv", 0)


def test_bytes_taken_out_move_the_rest(examine: Examine) -> None:
    data = float_data()
    found = only(examine(FLOAT, data[:40] + data[46:]))
    assert (found.code, found.layer, found.offset) == ("NP603", "fc", FC)
    assert "6 bytes too few before" in str(found.hint)


def test_the_next_tag_is_sought(examine: Examine) -> None:
    data = float_data()
    found = only(examine(FLOAT, data[:FC] + b"\x3d\x3e\x3f\x3d" * 100 + data[FC : FC + 40]))
    assert (found.code, found.layer, found.offset) == ("NP603", "fc", FC)
    assert "the next tag, of fp16, was found at +400" in str(found.hint)


@pytest.mark.parametrize("tag", [1, 0x3F800000, 0xFFFFFFFF])
def test_a_tag_that_stands_for_nothing(examine: Examine, tag: int) -> None:
    data = bytearray(float_data())
    data[FC : FC + 4] = struct.pack("<I", tag)
    found = only(examine(FLOAT, data))
    assert (found.code, found.layer, found.offset) == ("NP603", "fc", FC)
    assert f"0x{tag:08X}" in found.message
    assert "damaged here: if the array were fp16, it and all that follows would fit" in str(found.hint)


def test_a_lookup_table_that_fits_is_no_fault(examine: Examine) -> None:
    text = "7767517\n2 2\nInput in0 0 1 in0\nInnerProduct fc 1 1 in0 out0 0=2 1=0 2=6\n"
    assert examine(text, struct.pack("<I256f8B", 1, *range(256), *range(8)), deep=True) == []


def test_the_bin_of_the_int8_twin(examine: Examine) -> None:
    found = only(examine(FLOAT, int8_data()))
    assert (found.code, found.layer, found.offset) == ("NP603", "conv", 0)
    assert "computes in float" in found.message
    assert "int8 model" in str(found.hint)


def test_an_int8_tag_of_the_right_size_is_a_fault_too(examine: Examine) -> None:
    text = "7767517\n2 2\nInput in0 0 1 in0\nInnerProduct fc 1 1 in0 out0 0=2 1=0 2=8\n"
    found = only(examine(text, struct.pack("<I8b", INT8, *range(8))))
    assert found.code == "NP603"


@pytest.mark.parametrize("dtype", ["<f2", "<f4"])
def test_the_bin_of_the_float_twin(examine: Examine, dtype: str) -> None:
    found = only(examine(QUANTISED, float_data(dtype)))
    assert found.code == "NP603"
    assert "before it was quantised" in str(found.hint)


def test_int8_scales_that_are_missing(examine: Examine) -> None:
    data = int8_data()
    found = only(examine(QUANTISED, data[: 4 + 72 + 16] + data[4 + 72 + 16 + 20 :]))
    assert (found.code, found.layer) == ("NP603", "fc")


def test_an_unknown_type_is_taken_to_have_no_weights(examine: Examine) -> None:
    text = FLOAT.replace("4 4", "5 5").replace("b\nInner", "b\nInner") + "Mine m 1 1 out0 out1\n"
    found = only(examine(text, float_data()))
    assert (found.code, found.severity.value, found.layer) == ("NP606", "info", "m")
    assert "the rest fits" in found.message
    codes = [finding.code for finding in examine(text, float_data() + bytes(8))]
    assert sorted(codes) == ["NP605", "NP606"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Both models side by side."""
    for name, text, data in (("m", FLOAT, float_data()), ("m.int8", QUANTISED, int8_data())):
        (tmp_path / f"{name}.param").write_text(text)
        (tmp_path / f"{name}.bin").write_bytes(data)
    return tmp_path


@pytest.mark.parametrize(("text", "name"), [(FLOAT, "m.int8"), (QUANTISED, "m")])
def test_the_file_that_fits_is_named(folder: Path, text: str, name: str) -> None:
    graph = graph_of(text)
    pair = Pair(graph, WeightFile.open(folder / f"{name}.bin"))
    found = only(check(graph, rules=[one.on(pair) for one in FIT_RULES]))
    assert found.hint == f"it fits {name}.param, which lies beside it"


def test_the_bin_that_fits_is_named(folder: Path) -> None:
    wrong = folder / "other.bin"
    wrong.write_bytes(float_data()[:50])
    graph = graph_of(FLOAT)
    pair = Pair(graph, WeightFile.open(wrong))
    found = only(check(graph, rules=[one.on(pair) for one in FIT_RULES]))
    assert found.hint == "m.bin, which lies beside it, fits the graph"
