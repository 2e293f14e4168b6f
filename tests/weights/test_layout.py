"""Every array of real pairs is found; files that do not fit are told with layer and offset."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

import ncnnparam as nnp
from ncnnparam.weights import Storage, WeightFile, locate

from .conftest import Pair
from .pairs import NET, NET_ARRAYS, corpus, demo, golden

CORPUS, GOLDEN = list(corpus()), list(golden())
UNREADABLE = {"h16.qq.bin"}  # ncnn2int8 on an int8 model writes a pair that ncnn does not load either


def test_the_corpus_is_whole(shared: Path) -> None:
    assert len(CORPUS) == 24
    assert len(GOLDEN) > 150


@pytest.mark.parametrize(("param", "weights", "consumed"), CORPUS)
def test_corpus_pairs_are_read_to_the_byte(param: Path, weights: Path, consumed: int, tmp_path: Path) -> None:
    model = nnp.load(param, weights)
    assert model.file is not None
    assert model.file.used == consumed
    data = weights.read_bytes()
    assert model.file.leftover == data[consumed:]
    model.save(tmp_path / "m.param", tmp_path / "m.bin")
    assert (tmp_path / "m.bin").read_bytes() == data
    assert (tmp_path / "m.param").read_bytes() == param.read_bytes()


@pytest.mark.parametrize(("param", "weights"), GOLDEN)
def test_pairs_of_the_tools_are_read_to_the_byte(param: Path, weights: Path, tmp_path: Path) -> None:
    if weights.name in UNREADABLE:
        with pytest.raises(nnp.WeightsError):
            nnp.load(param, weights)
        return
    model = nnp.load(param, weights)
    assert model.file is not None
    assert len(model.file.leftover) == 0
    model.save(tmp_path / "m.param", tmp_path / "m.bin")
    assert (tmp_path / "m.bin").read_bytes() == weights.read_bytes()


def test_what_is_located(pair: Pair) -> None:
    graph = nnp.load(pair[0]).graph
    data = memoryview(pair[1].read_bytes())
    found = [(layer.name, weight.name, weight.offset) for layer, weight in locate(graph, data)]
    assert found == NET_ARRAYS
    weights = [weight for _, weight in locate(graph, data)]
    assert [weight.storage for weight in weights] == [Storage.FLOAT16, Storage.RAW, Storage.FLOAT32]
    assert [weight.nbytes for weight in weights] == [36, 12, 28]
    assert [weight.shape for weight in weights] == [(3, 5), (3,), (2, 3)]
    assert weights[0].data == data[4:34]


def test_leftover_bytes_are_kept(pair: Pair) -> None:
    data = pair[1].read_bytes() + b"behind"
    pair[1].write_bytes(data)
    model = nnp.load(*pair)
    assert model.file is not None
    assert bytes(model.file.leftover) == b"behind"
    model.save(pair[0], pair[1].with_name("other.bin"))
    assert pair[1].with_name("other.bin").read_bytes() == data


@pytest.mark.parametrize("size", range(0, 76, 3))
def test_a_cut_is_told_with_layer_and_offset(size: int, pair: Pair) -> None:
    pair[1].write_bytes(pair[1].read_bytes()[:size])
    layer, array, offset = next(place for place in reversed(NET_ARRAYS) if place[2] <= size)
    with pytest.raises(nnp.WeightsError) as caught:
        nnp.load(*pair)
    error = caught.value
    assert (error.layer, error.array, error.offset) == (layer, array, offset)
    for words in (str(pair[1]), f"'{layer}'", f"{array} at offset {offset}", error.expected, error.found):
        assert words in str(error)
    assert ("the end of the file" in error.found) == (size >= offset)
    assert error.code == "NP604"


def test_any_cut_of_the_demo_is_told() -> None:
    param, weights = demo()
    graph, data = nnp.load(param).graph, weights.read_bytes()
    ends = [
        weight.offset + weight.nbytes
        for _, weight in locate(graph, memoryview(data))
        if weight.offset is not None
    ]
    assert ends[-1] == len(data)
    for size in random.Random(1).sample(range(len(data)), 200):
        seen: list[object] = []
        with pytest.raises(nnp.WeightsError) as caught:
            seen.extend(locate(graph, memoryview(data[:size])))
        assert len(seen) == sum(end <= size for end in ends)
        assert caught.value.offset == ([0, *ends])[len(seen)]


def test_a_tag_of_another_file_is_called_strange(pair: Pair) -> None:
    data = bytearray(pair[1].read_bytes())
    data[48:52] = bytes.fromhex("0000803f")
    pair[1].write_bytes(data)
    with pytest.raises(nnp.WeightsError, match="0x3F800000") as caught:
        nnp.load(*pair)
    assert caught.value.layer == "last"
    assert "another .param" in str(caught.value.hint)


@pytest.mark.parametrize("size", [2**31 - 1, 2**31 - 3])
def test_a_huge_size_allocates_nothing(size: int, pair: Pair) -> None:
    pair[0].write_text(NET.replace("2=15", f"2={size}"))
    with pytest.raises(nnp.WeightsError, match=f"{size} elements"):
        nnp.load(*pair)


@pytest.mark.parametrize("size", [-15, 0])
def test_a_senseless_size_is_told(size: int, pair: Pair) -> None:
    pair[0].write_text(NET.replace("2=15", f"2={size}"))
    with pytest.raises(nnp.WeightsError, match=f"layer 'fc'.* weight_data_size is {size}") as caught:
        nnp.load(*pair)
    assert caught.value.code == "NP602"


def test_an_unknown_type_has_no_weights_if_the_rest_fits(pair: Pair) -> None:
    pair[0].write_text(NET.replace("ReLU", "Relu"))
    model = nnp.load(*pair)
    assert not model.graph.layer("relu").weights
    model.save(*(path.with_name(f"new{path.suffix}") for path in pair))
    assert pair[1].with_name("new.bin").read_bytes() == pair[1].read_bytes()


@pytest.mark.parametrize("change", [lambda data: data[:-4], lambda data: data + bytes(4)])
def test_an_unknown_type_is_told_if_the_rest_does_not_fit(
    change: Callable[[bytes], bytes], pair: Pair
) -> None:
    pair[0].write_text(NET.replace("ReLU", "Relu"))
    pair[1].write_bytes(change(pair[1].read_bytes()))
    with pytest.raises(nnp.WeightsError, match=r"these types have: Relu\n.*did you mean ReLU.*--ops"):
        nnp.load(*pair)


def test_an_error_leaves_no_arrays(pair: Pair) -> None:
    model = nnp.load(pair[0])
    file = WeightFile(memoryview(pair[1].read_bytes()[:60]))
    with pytest.raises(nnp.WeightsError):
        file.attach(model.graph)
    assert not any(layer.weights for layer in model.graph)


def test_files_that_are_none(pair: Pair, tmp_path: Path) -> None:
    with pytest.raises(nnp.FileError, match="no regular file"):
        nnp.load(pair[0], tmp_path)
    with pytest.raises(nnp.FileError, match="No such file"):
        nnp.load(pair[0], tmp_path / "none.bin")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(nnp.FileError, match="no regular file"):
        nnp.load(pair[0], tmp_path / "pipe")
    (tmp_path / "empty.bin").touch()
    with pytest.raises(nnp.WeightsError, match=r"'fc'.* at offset 0.*the end of the file"):
        nnp.load(pair[0], tmp_path / "empty.bin")
