"""The numbers of layer types are those of the real ncnn."""

from __future__ import annotations

import pytest

from ncnnparam.ops import registry
from ncnnparam.ops.type_index import CUSTOM, index_of, name_of


def test_every_type_of_ncnn_has_a_number() -> None:
    own = [name for name in registry.names() if not name_is_custom(name)]
    assert sorted(map(index_of, own), key=repr) == sorted(range(len(own)), key=repr)
    assert all(name_of(index) == name for name in own for index in [index_of(name)] if index is not None)


def test_others_have_none() -> None:
    assert [index_of(name) for name in ("SherpaMetaData", "relu", "")] == [None, None, None]
    assert [name_of(index) for index in (-1, 110, CUSTOM)] == [None, None, None]


def test_the_real_ncnn_agrees() -> None:
    ncnn = pytest.importorskip("ncnn")
    if ncnn.__version__ != "1.0.20261020":
        pytest.skip(f"the numbers are those of 1.0.20261020, {ncnn.__version__} is installed")
    count = next(index for index in range(1000) if name_of(index) is None)
    for index in range(count):
        assert ncnn.layer_to_index(name_of(index)) == index


def name_is_custom(name: str) -> bool:
    layer_type = registry.get(name)
    return layer_type is not None and layer_type.custom
