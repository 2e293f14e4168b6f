"""Tags and sizes."""

from __future__ import annotations

import pytest

from ncnnparam.weights import Storage

SIZES = {
    Storage.FLOAT32: 4 + 12,
    Storage.FLOAT16: 4 + 8,
    Storage.BFLOAT16: 4 + 8,
    Storage.INT8: 4 + 4,
    Storage.TABLE: 4 + 1024 + 4,
    Storage.SCALED: 4 + 12,
    Storage.RAW: 12,
    Storage.BYTES: 4,
}


@pytest.mark.parametrize("storage", Storage)
def test_size_of_three_elements(storage: Storage) -> None:
    assert storage.size(3) == SIZES[storage]
    assert storage.size(4) == SIZES[storage] + {"f4": 4}.get(storage.dtype.str[1:], 0)


def test_tags() -> None:
    for storage in Storage:
        if storage.tag is not None:
            assert Storage.from_tag(storage.tag) is storage
    assert {storage for storage in Storage if storage.tag is None} == {
        Storage.TABLE,
        Storage.RAW,
        Storage.BYTES,
    }
    assert Storage.from_tag(0x3F800000) is Storage.TABLE


def test_kinds() -> None:
    assert (Storage.RAW.kind, Storage.BYTES.kind, Storage.TABLE.kind) == ("raw", "bytes", "tagged")
    assert str(Storage.FLOAT16) == "fp16"
