"""NaN, infinity and channels of zeros are found in every storage."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from ncnnparam.checks.pairs.contents import _BLOCK, contents_of
from ncnnparam.ops import WeightArray
from ncnnparam.weights import Storage, Weight, encode

from .conftest import Examine
from .nets import FLOAT, float_data

FLOATS = (Storage.FLOAT32, Storage.FLOAT16, Storage.BFLOAT16, Storage.SCALED)


def array(*shape: int) -> WeightArray:
    return WeightArray("weight_data", "tagged", shape)


@pytest.mark.parametrize("storage", FLOATS)
def test_every_float_storage(storage: Storage) -> None:
    numbers = np.ones((4, 3), "f4")
    numbers[0, 1] = np.nan
    numbers[1] = (np.inf, -np.inf, np.nan)
    numbers[2] = (0, -0.0, 0)
    found = contents_of(encode(array(4, 3), numbers, storage))
    assert (found.nans, found.infinities, found.zero_channels) == (2, 2, [2])


def test_int8_and_tables() -> None:
    numbers = np.zeros((2, 4), int)
    numbers[1, 3] = -127
    assert contents_of(encode(array(2, 4), numbers, Storage.INT8)).zero_channels == [0]
    table = [0.0] * 254 + [float("nan"), float("inf")]
    raw = struct.pack("<I256f4B", 1, *table, 0, 254, 255, 255)
    found = contents_of(Weight(array(4), Storage.TABLE, memoryview(raw)))
    assert (found.nans, found.infinities, found.zero_channels) == (1, 2, [])


@pytest.mark.parametrize("shape", [(3, _BLOCK + 5), (_BLOCK + 5, 3), (2 * _BLOCK + 1,)])
def test_large_arrays_are_seen_to_their_end(shape: tuple[int, ...]) -> None:
    numbers = np.ones(shape, "f2")
    numbers.reshape(-1)[-1] = np.inf
    numbers[1] = 0
    found = contents_of(encode(array(*shape), numbers, Storage.FLOAT16))
    assert (found.nans, found.infinities) == (0, 1)
    assert found.zero_channels == ([1] if len(shape) > 1 else [])


def test_what_is_reported(examine: Examine) -> None:
    data = bytearray(float_data("<f4"))
    data[4:8] = struct.pack("<f", float("nan"))
    data[4 + 18 * 4 : 4 + 36 * 4] = bytes(18 * 4)
    assert examine(FLOAT, data) == []
    nan, zero = examine(FLOAT, data, deep=True)
    assert (nan.code, nan.severity.value, nan.layer, nan.offset) == ("NP607", "error", "conv", 0)
    assert "weight_data of layer 'conv' (Convolution) has 1 NaN among its 72 elements" in nan.message
    assert (zero.code, zero.severity.value) == ("NP608", "info")
    assert zero.message.endswith("is all zero in 1 of its 4 channels: 1")


def test_the_numbers_of_a_file_that_does_not_fit_are_not_judged(examine: Examine) -> None:
    assert {finding.code for finding in examine(FLOAT, float_data()[:-4], deep=True)} == {"NP604"}
