"""Files that are no ``.param`` are named for what they are."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import zipfile
from pathlib import Path

import pytest

import ncnnparam as nnp
from ncnnparam.errors import ParseError
from ncnnparam.syntax.foreign import recognise, recognise_dialect

PARAM = "7767517\n1 1\nInput in0 0 1 in0\n"


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("model/data.pkl", b"x" * 10)
    return stream.getvalue()


FOREIGN = {
    "param.bin": (struct.pack("<5i", 7767517, 1, 1, 16, 0), "binary form"),
    "git-lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "git-lfs pointer"),
    "gzip": (gzip.compress(PARAM.encode()), "gzip"),
    "zip": (zipped(), "zip file"),
    "pickle": (pickle.dumps({"a": [1, 2]}, protocol=2), "pickle"),
    "bom": (b"\xef\xbb\xbf" + PARAM.encode(), "byte order mark"),
    "utf-16": (PARAM.encode("utf-16"), "UTF-16"),
    "html": (b"\n<!DOCTYPE html>\n<html><body>404</body></html>", "HTML"),
    "html in capitals": (b"<HTML>\n</HTML>", "HTML"),
    "xml": (b'<?xml version="1.0"?>\n<net/>', "XML"),
    "onnx": (b"\x08\x07\x12\x07pytorch\x1a\x051.9.0:\x9b", "ONNX"),
    "weights fp32": (struct.pack("<i", 0) + struct.pack("<64f", *range(64)), "weight file"),
    "weights fp16": (struct.pack("<I", 0x01306B47) + bytes(range(1, 200)) + b"\0" * 9, "weight file"),
    "weights int8": (struct.pack("<I", 0x000D4B38) + bytes(range(256)), "weight file"),
    "junk": (bytes(range(200, -1, -1)) * 9, "no text"),
    "png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no text"),
    "empty": (b"", "empty"),
    "blank": (b" \n\t\r\n", "empty"),
    "pre-magic": (b"2 2\nInput data 0 1 data 0=3\nReLU relu 1 1 data relu\n", "before 2018"),
    "pre-magic, count on its line": (b"2\nInput data 0 1 data\nReLU relu 1 1 data out\n", "before 2018"),
    "prototxt": (b'name: "net"\nlayer {\n  name: "data"\n}\n', "no .param file"),
    "json": (b'{"layers": []}\n', "no .param file"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign_files_are_named(kind: str, tmp_path: Path) -> None:
    data, says = FOREIGN[kind]
    path = tmp_path / "model.param"
    path.write_bytes(data)
    with pytest.raises(ParseError, match=says) as caught:
        nnp.load(path)
    assert str(path) in str(caught.value)
    assert caught.value.hint or caught.value.expected


def test_the_binary_form_is_to_be_converted(tmp_path: Path) -> None:
    (tmp_path / "m.param.bin").write_bytes(FOREIGN["param.bin"][0])
    with pytest.raises(ParseError) as caught:
        nnp.load(tmp_path / "m.param.bin")
    assert caught.value.hint == "convert it first: ncnnparam convert IN.param.bin OUT.param"


def test_pnnx_text_is_named() -> None:
    text = "7767517\n2 1\npnnx.Input in 0 1 0 #0=(1,3)f32\nnn.ReLU relu 1 1 0 1 $input=0\n"
    with pytest.raises(ParseError, match=r"\.pnnx\.param") as caught:
        nnp.loads(text)
    assert (caught.value.line, caught.value.hint is not None) == (3, True)


def test_a_param_file_is_not_foreign() -> None:
    assert recognise(PARAM) is None
    assert recognise_dialect(PARAM) is None
    assert recognise_dialect(PARAM + "ReLU pnnx.Input 1 1 in0 out0\n") is None


def test_real_foreign_files(shared: Path) -> None:
    for path in sorted((shared / "corpus").rglob("*.pnnx.param")):
        with pytest.raises(ParseError, match="pnnx"):
            nnp.load(path)
    weights = sorted((shared / "corpus").glob("*.bin"))
    assert weights
    for path in weights:
        with pytest.raises(ParseError, match="weight file"):
            nnp.load(path)
