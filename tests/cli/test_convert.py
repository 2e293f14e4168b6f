"""``ncnnparam convert``: which file is what, what is written, and what is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import ncnnparam as nnp
from ncnnparam import binparam
from ncnnparam.weights import Storage

from .conftest import Run
from .small import on_terminal

TEXT = """7767517
3 3
Input                    in0                      0 1 in0
InnerProduct             fc                       1 1 in0 a.b 0=2 1=1 2=6
ReLU                     relu                     1 1 a.b out0 0=0.1
"""
NUMBERS = np.array([[1, -2, 0.5], [70000, 1e-9, 3]], "<f4")
BINARY = binparam.dumps(nnp.loads(TEXT).graph)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small pair, where the commands run."""
    monkeypatch.chdir(tmp_path)
    model = nnp.loads(TEXT)
    weights = model.graph.layer("fc").weights
    weights["weight_data"], weights["bias_data"] = NUMBERS, np.array([1, 2])
    nnp.save(model, "m.param", "m.bin")
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def numbers(param: str, weights: str) -> tuple[Storage, list[float]]:
    weight = nnp.load(param, weights).graph.layer("fc").weights["weight_data"]
    return weight.storage, weight.numpy(np.float32).reshape(-1).tolist()


def test_storage_of_a_pair(run: Run) -> None:
    result = run("convert", "m.param", "m.bin", "h.param", "h.bin", "--storage", "bf16")
    assert (result.exit_code, result.out) == (0, "")
    assert result.err == (
        "fp32 to bf16: 1 array\nweights: 36 -> 24 bytes\n"
        "ncnn reads bf16 from 1.0.20261020 on; older releases take it for something else\n"
    )
    storage, found = numbers("h.param", "h.bin")
    assert storage is Storage.BFLOAT16
    assert found[:3] == [1, -2, 0.5]
    assert Path("h.param").read_text() == TEXT


def test_overflow_is_found(run: Run) -> None:
    result = run("convert", "m.param", "m.bin", "h.bin", "--storage", "fp16")
    assert result.exit_code == 1
    assert "1 numbers are too small for fp16 and became 0\n" in result.err
    assert "warning: numbers too large for fp16 became infinite: fc weight_data (1)\n" in result.err
    assert numbers("m.param", "h.bin") == (Storage.FLOAT16, [1, -2, 0.5, float("inf"), 0, 3])


def test_nothing_to_convert(run: Run, folder: Path) -> None:
    result = run("convert", "m.param", "m.bin", "h.bin", "--storage", "fp32")
    assert result.err == (
        "nothing to convert: no array can become fp32 that is not\nweights: 36 -> 36 bytes\n"
    )
    assert files(folder)["h.bin"] == files(folder)["m.bin"]


def test_in_place_with_a_backup(run: Run, folder: Path) -> None:
    before = files(folder)
    result = run("convert", "m.param", "m.bin", "--storage", "bf16", "--in-place", "--backup")
    assert result.exit_code == 0
    assert files(folder)["m.bin.bak"] == before["m.bin"]
    assert files(folder)["m.param"] == before["m.param"]
    assert numbers("m.param", "m.bin")[0] is Storage.BFLOAT16
    assert sorted(files(folder)) == ["m.bin", "m.bin.bak", "m.param"]


def test_to_binary_and_back_with_names(run: Run) -> None:
    assert run("convert", "m.param", "m.param.bin", "--id-h", "m.id.h").err == ""
    assert Path("m.param.bin").read_bytes() == BINARY
    assert "const int BLOB_a_b = 1;" in Path("m.id.h").read_text()
    result = run("convert", "m.param.bin", "--names", "m.id.h", "-")
    assert (result.exit_code, result.err) == (0, "")
    assert result.out == TEXT.replace("a.b", "a_b")


def test_without_names(run: Run) -> None:
    Path("m.param.bin").write_bytes(BINARY)
    result = run("convert", "m.param.bin", "new.param")
    assert "made-up names" in result.err
    assert [layer.name for layer in nnp.load("new.param").graph] == ["input_0", "innerproduct_1", "relu_2"]


def test_binary_on_standard_input(run: Run) -> None:
    result = run("convert", "-", "-", stdin=BINARY)
    assert result.exit_code == 0
    assert nnp.loads(result.out).graph.layer_count == 3


def test_text_on_standard_input(run: Run) -> None:
    assert run("convert", "-", "new.param.bin", stdin=TEXT).exit_code == 0
    assert Path("new.param.bin").read_bytes() == BINARY


@pytest.mark.parametrize("graph", ["n.param", "n.param.bin"])
def test_both_at_once(run: Run, graph: str) -> None:
    Path("b.param.bin").write_bytes(BINARY)
    source = "b.param.bin" if graph == "n.param" else "m.param"
    assert run("convert", source, "m.bin", graph, "n.bin", "--storage", "bf16").exit_code == 0
    assert Path("n.bin").stat().st_size == 24
    assert (Path(graph).read_bytes() == BINARY) == (graph == "n.param.bin")
    assert not list(Path().glob(".*"))


def test_mem_header(run: Run) -> None:
    assert run("convert", "m.param", "m.bin", "--mem-h", "net.mem.h").exit_code == 0
    text = Path("net.mem.h").read_text()
    assert "unsigned char net_param_bin[] = {\n0xdd,0x85,0x76,0x00," in text
    assert "unsigned char net_bin[] = {\n0x00,0x00,0x00,0x00,0x00,0x00,0x80,0x3f," in text


def test_mem_header_in_another_storage(run: Run) -> None:
    assert run("convert", "m.param", "m.bin", "--mem-h", "net.mem.h", "--storage", "bf16").exit_code == 0
    assert "unsigned char net_bin[] = {\n0x83,0x8b,0x34,0x01,0x80,0x3f," in Path("net.mem.h").read_text()


def test_json(run: Run) -> None:
    result = run("convert", "m.param", "m.bin", "h.bin", "--storage", "fp16", "--format", "json")
    assert (result.exit_code, result.err) == (1, "")
    report = json.loads(result.out)
    assert (report["storage"], report["bytes_before"], report["bytes_after"]) == ("fp16", 36, 24)
    assert report["outputs"] == ["h.bin"]
    assert report["arrays"] == [
        {
            "layer": "fc",
            "array": "weight_data",
            "before": "fp32",
            "after": "fp16",
            "elements": 6,
            "bytes_before": 28,
            "bytes_after": 16,
            "overflowed": 1,
            "vanished": 1,
        }
    ]


def test_what_the_binary_form_leaves_open(run: Run) -> None:
    graph = nnp.loads(TEXT.replace("ReLU ", "Mine ").replace("a.b", "a_b").replace("fc  ", "a.b ")).graph
    graph.add("Sigmoid", "a_b", inputs=["out0"])
    Path("own.param.bin").write_bytes(binparam.dumps(graph) + b"more")
    result = run("convert", "own.param.bin", "-")
    assert "warning: 4 bytes behind the last layer are left out" in result.err
    assert (
        "warning: whether these params are ints or floats is guessed by their values: 0 of cust" in result.err
    )
    nnp.save(graph, "own.param")
    result = run("convert", "own.param", "own2.param.bin", "--id-h", "own.id.h")
    assert "warning: no compiler takes the .id.h: it has twice: LAYER_a_b" in result.err


WRONG = {
    "m.bin m.param": "in this order",
    "m.param m.bin a.param b.param": "in this order",
    "m.param a.bin b.bin c.bin": "in this order",
    "m.param a.param b.bin": "name the .bin of m.param behind it",
    "m.param": "say what to write",
    "m.param m.bin": "say what to write",
    "m.param a.param": "nothing would change",
    "m.param m.bin a.param a.bin": "nothing would change",
    "m.param a.param --storage fp16": "name the .bin behind m.param",
    "m.param m.bin --storage fp16": "say what to write",
    "m.param m.bin a.param --storage fp16": "--storage needs a new .bin",
    "m.param m.bin m.bin --storage fp16": "m.bin is read and would be overwritten",
    "m.param m.bin m.param a.bin --storage fp16": "m.param is read and would be overwritten",
    "m.param m.bin ./m.bin --storage fp16": "m.bin is read and would be overwritten",
    "m.param a.param.bin --id-h m.param": "m.param is read and would be overwritten",
    "m.param a.param.bin --id-h a.param.bin": "would be written twice",
    "m.param m.bin a.bin --storage fp16 --in-place": "--in-place takes a .param, its .bin",
    "m.param m.bin --in-place": "--in-place takes a .param, its .bin",
    "m.param a.param.bin --names m.param": "--names is for the binary form",
    "m.param m.bin a.bin --storage int8": "is not one of 'fp32', 'fp16', 'bf16'",
    "m.param --mem-h a.mem.h": "a.mem.h is to hold the weights too",
    "m.param m.bin no/a.param no/a.bin --storage fp16": "cannot write no/a",
    "m.param no.bin a.bin --storage fp16": "cannot read no.bin",
    "no.param a.param.bin": "cannot read no.param",
    "no.param.bin a.param": "cannot read no.param.bin",
    "b.param.bin - --format json": "cannot both go to standard output",
    "b.param.bin a.param --names m.param": "this is no .id.h",
    "text.param.bin a.param": "this is no .param.bin",
    "": "Missing argument",
}


@pytest.mark.parametrize("words", WRONG)
def test_wrong_use(run: Run, folder: Path, words: str) -> None:
    Path("b.param.bin").write_bytes(BINARY)
    Path("text.param.bin").write_text(TEXT)
    before = files(folder)
    result = run("convert", *words.split())
    assert (result.exit_code, result.out) == (2, "")
    assert WRONG[words] in " ".join(result.err.split())
    assert files(folder) == before


def test_a_file_that_does_not_fit_leaves_all_as_it_was(run: Run, folder: Path) -> None:
    Path("m.bin").write_bytes(Path("m.bin").read_bytes()[:-4])
    before = files(folder)
    result = run("convert", "m.param", "m.bin", "a.param", "a.bin", "--storage", "fp16")
    assert result.exit_code == 2
    assert "bias_data at offset 28" in result.err
    assert files(folder) == before


def test_what_the_binary_form_cannot_say_is_found_before_anything_is_written(run: Run, folder: Path) -> None:
    Path("odd.param").write_text(TEXT.replace("0=0.1", "0=abc"))
    before = files(folder)
    result = run("convert", "odd.param", "m.bin", "a.bin", "--storage", "bf16", "--mem-h", "a.mem.h")
    assert result.exit_code == 2
    assert "layer 'relu': slope is a float, not 'abc'" in result.err
    assert files(folder) == before


def test_no_bar_for_short_work(folder: Path) -> None:
    shown = on_terminal(
        "convert", folder / "m.param", folder / "m.bin", folder / "h.bin", "--storage", "bf16"
    )
    assert shown.replace("\r", "").splitlines()[:2] == ["fp32 to bf16: 1 array", "weights: 36 -> 24 bytes"]
