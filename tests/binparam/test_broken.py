"""Files that are no ``.param.bin``: an error that says where, and no memory for what is not there."""

from __future__ import annotations

import struct
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import ncnnparam as nnp
from ncnnparam import binparam
from ncnnparam.binparam import BinParamError, IdNames
from ncnnparam.errors import GraphError, ParseError
from ncnnparam.graph import Graph, Layer
from ncnnparam.ops.type_index import index_of

SOUND = binparam.dumps(
    nnp.loads(
        """7767517
4 4
Input in0 0 1 in0 0=5 -23330=4,3,5,4,1
Convolution conv 1 1 in0 a 0=2 1=1 5=1 6=4 9=2 -23310=1,0.1
Reshape shape 1 1 a b 6="0w,-1"
Mine own 1 1 b out0 0=7 1=0.5
"""
    ).graph
)
MOST = 2**31 - 1
MEMORY = 1 << 20  # bytes; the parser's own tables need some


def with_word(offset: int, value: int) -> bytes:
    return SOUND[:offset] + struct.pack("<i", value) + SOUND[offset + 4 :]


def test_sound() -> None:
    reading = binparam.read(SOUND)
    assert [layer.name for layer in reading.graph] == ["input_0", "convolution_1", "reshape_2", "custom256_3"]
    assert [blob.name for blob in reading.graph.blobs] == ["0", "1", "2", "3"]
    assert [(guess.layer, guess.id) for guess in reading.guesses] == [("custom256_3", 0), ("custom256_3", 1)]
    assert dict(reading.graph.layer("custom256_3").params) == {0: 7, 1: 0.5}
    assert reading.graph.layer("convolution_1")["activation_params"] == (pytest.approx(0.1),)


@pytest.mark.parametrize("size", range(len(SOUND)))
def test_truncated(size: int) -> None:
    with pytest.raises(BinParamError) as caught:
        binparam.loads(SOUND[:size], name="m.param.bin")
    assert caught.value.offset <= size
    assert f"m.param.bin: at offset {caught.value.offset}: " in str(caught.value)


@pytest.mark.parametrize("offset", range(0, len(SOUND), 4))
@pytest.mark.parametrize("value", [MOST, -(2**31), -1, 255, -23331, -23400 - 32, -24000])
def test_any_word_replaced(offset: int, value: int) -> None:
    tracemalloc.start()
    attempt(with_word(offset, value))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MEMORY


def attempt(data: bytes) -> Graph | None:
    """The graph, or None if there was an error with a place in the file; any other error is a bug."""
    outcome: Graph | BinParamError
    try:
        outcome = binparam.loads(data)
    except BinParamError as error:
        outcome = error
    if isinstance(outcome, Graph):
        return outcome
    assert 0 <= outcome.offset <= len(data)
    return None


ONE = 7767517, 1, 1
FAULTS = {
    "magic": ((7767518, 1, 1), 0, "no .param.bin"),
    "layers": ((7767517, MOST, 1), 4, "2147483647 layers are to follow, but only 0 bytes"),
    "blobs": ((7767517, 1, MOST, 26, 0, 0, -233), 4, "more than ncnn takes, 1,000,000"),
    "negative layers": ((7767517, -1, 1), 4, "cannot be -1 layers"),
    "negative blobs": ((7767517, 1, -5, 16, 0, 0, -233), 4, "-5 blobs"),
    "type": ((*ONE, 110, 0, 0, -233), 12, "no layer type of number 110"),
    "negative type": ((*ONE, -1, 0, 0, -233), 12, "no layer type of number -1"),
    "beyond the custom types": ((*ONE, 512, 0, 0, -233), 12, "no layer type of number 512"),
    "inputs": ((*ONE, 26, MOST, 0, -233), 16, "2147483647 inputs are to follow, but only 8 bytes"),
    "negative outputs": ((*ONE, 26, 0, -2, -233), 20, "cannot be -2 outputs"),
    "blob": ((*ONE, 26, 1, 0, 1, -233), 24, "an input is blob 1, and there are 1 blobs"),
    "negative blob": ((*ONE, 16, 0, 1, -1, -233), 24, "an output is blob -1"),
    "id": ((*ONE, 26, 0, 0, 32, 5, -233), 24, "32 is the id of no param"),
    "negative id": ((*ONE, 26, 0, 0, -1, 5, -233), 24, "-1 is the id of no param"),
    "array id": ((*ONE, 26, 0, 0, -23332, 0, -233), 24, "-23332 is the id"),
    "array": ((*ONE, 26, 0, 0, -23300, MOST, -233), 28, "2147483647 elements are to follow"),
    "negative array": ((*ONE, 26, 0, 0, -23300, -3, -233), 28, "cannot be -3 elements"),
    "string": ((*ONE, 26, 0, 0, -23400, 5, -233), 28, "5 bytes of a string are to follow, but only 4"),
    "long string": ((*ONE, 26, 0, 0, -23400, 256, *[0x61616161] * 64, -233), 28, "at most 255 bytes"),
    "negative string": ((*ONE, 26, 0, 0, -23400, -1, -233), 28, "cannot be -1 bytes"),
    "NUL in a string": ((*ONE, 26, 0, 0, -23400, 2, 0x61000061, -233), 24, "cannot be written"),
    "infinity": ((*ONE, 26, 0, 0, 0, 0x7F800000, -233), 24, "no finite 32-bit float"),
    "not a number": ((*ONE, 26, 0, 0, 0, -233, -233), 24, "no finite 32-bit float"),
    "no end": ((*ONE, 26, 0, 0, 0, 0x3F800000), 32, "the end of the params should be"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_have_a_place(fault: str) -> None:
    numbers, offset, says = FAULTS[fault]
    with pytest.raises(BinParamError, match=says) as caught:
        binparam.loads(struct.pack(f"<{len(numbers)}i", *numbers))
    assert caught.value.offset == offset


@given(st.binary(max_size=200))
@example(b"")
def test_any_bytes_behind_a_sound_head(data: bytes) -> None:
    check_any(struct.pack("<3i", 7767517, 3, 9) + data)


@given(st.data())
def test_sound_files_with_a_few_words_changed(data: st.DataObject) -> None:
    changed = bytearray(SOUND)
    odd = st.sampled_from([0, 1, 3, 16, 255, 256, MOST, -1, -233, -23300, -23331, -23400, 0x7F800000])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(SOUND) // 4 - 1)) * 4
        struct.pack_into("<i", changed, place, data.draw(st.one_of(odd, st.integers(-(2**31), MOST))))
    check_any(bytes(changed))


def check_any(data: bytes) -> None:
    """Either an error of ours, or a graph that says the same again; a blob written twice gets two numbers."""
    graph = attempt(data)
    if graph is None:
        return
    try:
        again = binparam.dumps(graph)
    except GraphError:  # a kind of value that the type does not read
        return
    assert len(again) <= len(data)
    back = binparam.loads(again)
    assert binparam.dumps(back) == again
    assert [said(layer) for layer in back] == [said(layer) for layer in graph]


def said(layer: Layer) -> tuple[object, ...]:
    """A layer but for its names; custom types are numbered by their first layers."""
    return (
        index_of(layer.type),
        len(layer.inputs),
        len(layer.outputs),
        [param.meaning for param in layer.params.raw],
    )


def test_bytes_behind_the_last_layer_are_counted() -> None:
    assert binparam.read(SOUND + bytes(12)).leftover == 12


def test_a_blob_with_two_producers_becomes_two_of_one_name() -> None:
    data = struct.pack("<11i", 7767517, 2, 1, 16, 0, 1, 0, -233, 16, 0, 1) + struct.pack("<2i", 0, -233)
    graph = binparam.loads(data)
    assert [blob.name for blob in graph.blobs] == ["0", "0"]


def test_names_of_another_model() -> None:
    names = IdNames({0: "in0", 1: "conv"}, file="other.id.h")
    with pytest.raises(ParseError, match=r"other.id.h: it names 2 layers, and the model has 4"):
        binparam.loads(SOUND, names)
    with pytest.raises(ParseError, match="it names 4 layers"):
        binparam.loads(SOUND, IdNames({0: "a", 1: "b", 2: "c", 7: "d"}))
