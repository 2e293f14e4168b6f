"""``.id.h`` and ``.mem.h``: C++ that ncnn2mem would write, and what is read out of it."""

from __future__ import annotations

import pytest

import ncnnparam as nnp
from ncnnparam import binparam
from ncnnparam.errors import ParseError

TEXT = """7767517
4 4
Input a.b 0 1 a.b
ReLU a:b 1 1 a.b a:b
My/Own ö-1 1 1 a:b x
My/Own last 1 1 x out0
"""
HEADER = """#ifndef NCNN_INCLUDE_GUARD_my_net_id_h
#define NCNN_INCLUDE_GUARD_my_net_id_h
namespace my_net_param_id {
const int LAYER_a_b = 0;
const int BLOB_a_b = 0;
const int LAYER_a_b = 1;
const int BLOB_a_b = 1;
const int LAYER____1 = 2;
const int BLOB_x = 2;
const int LAYER_last = 3;
const int BLOB_out0 = 3;
const int TYPEINDEX_My_Own = 256;
} // namespace my_net_param_id
#endif // NCNN_INCLUDE_GUARD_my_net_id_h
"""


def test_header_and_what_stands_twice_in_it() -> None:
    graph = nnp.loads(TEXT).graph
    assert binparam.id_header(graph, "my-net") == HEADER
    assert binparam.clashes(graph) == ["LAYER_a_b", "BLOB_a_b"]


def test_names_are_given_back_and_stay_apart() -> None:
    graph = nnp.loads(TEXT).graph
    back = binparam.loads(binparam.dumps(graph), binparam.read_id_header(HEADER))
    assert [layer.name for layer in back] == ["a_b", "a_b_1", "___1", "last"]
    assert [layer.type for layer in back] == ["Input", "ReLU", "My_Own", "My_Own"]
    assert [blob.name for blob in back.blobs] == ["a_b", "a_b_1", "x", "out0"]
    assert [[blob.name for blob in layer.inputs] for layer in back] == [[], ["a_b"], ["a_b_1"], ["x"]]


def test_other_layouts_are_read() -> None:
    names = binparam.read_id_header("static  const int\tLAYER_conv_1=0 ;\r\nconst int BLOB_x = 12;")
    assert (names.layers, names.blobs, names.types) == ({0: "conv_1"}, {12: "x"}, {})


@pytest.mark.parametrize("text", ["", "7767517\n1 1\nInput a 0 1 a\n", "const int BLOB_x = 0;", "\udcff" * 9])
def test_what_is_no_id_header(text: str) -> None:
    with pytest.raises(ParseError, match=r"ids.h: this is no .id.h"):
        binparam.read_id_header(text, name="ids.h")


def test_two_names_for_one_number() -> None:
    with pytest.raises(ParseError, match=r"ids.h:2:1: LAYER_b and LAYER_a are both 0"):
        binparam.read_id_header("const int LAYER_a = 0;\nconst int LAYER_b = 0;\n", name="ids.h")


def test_made_up_names_keep_off_known_ones() -> None:
    data = binparam.dumps(nnp.loads("7767517\n2 2\nInput a 0 1 a\nReLU b 1 1 a c\n").graph)
    names = binparam.IdNames({}, {1: "0"})
    assert [blob.name for blob in binparam.loads(data, names).blobs] == ["0_", "0"]


def test_mem_header_without_weights() -> None:
    text = b"".join(binparam.mem_header("net", bytes(range(20)))).decode()
    assert text.count("static const unsigned char") == 1
    assert "net_param_bin[] = {\n0x00,0x01," in text
    assert text.endswith("0x10,0x11,0x12,0x13,};\n#endif // NCNN_INCLUDE_GUARD_net_mem_h\n")
