"""The arrays the registry predicts are those that the real ncnn reads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ncnnparam.ops import LayerType, registry

from .counting import INT8, TAGS, Loader, line_of, reads_of
from .strategies import sound_params

pytest.importorskip("ncnn")

WITH_WEIGHTS = [
    known.name
    for known in (registry.get(name) for name in registry.names())
    if known is not None and known.weights and not known.custom
]
FIXTURE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.fixture(scope="module")
def loader() -> Iterator[Loader]:
    with Loader() as running:
        yield running


def known(name: str) -> LayerType:
    layer_type = registry.get(name)
    assert layer_type is not None
    return layer_type


def agree(loader: Loader, name: str, data: st.DataObject) -> None:
    layer_type = known(name)
    params = data.draw(sound_params(name), "params")
    tag = data.draw(st.sampled_from(TAGS), "tag")
    line = line_of(layer_type, params)
    load = loader.load(line, tag)
    assert layer_type.violations(params) == []
    assert load.accepted, (line, load.messages)
    arrays = layer_type.weight_layout(params)
    assert load.reads == [size for array in arrays for size in reads_of(array, tag)], line
    # a float layer cannot work with int8 weights: that it loads is not what this test is about
    assert load.loaded or tag == INT8, (line, load)


def test_the_types_with_weights_are_those_of_ncnn(loader: Loader) -> None:
    assert len(WITH_WEIGHTS) == 34
    for name in registry.names():
        layer_type = known(name)
        if not layer_type.custom and not layer_type.weights:
            assert loader.load(line_of(layer_type, {})).reads == [], name


@pytest.mark.parametrize("name", WITH_WEIGHTS)
@settings(max_examples=40, deadline=None, suppress_health_check=FIXTURE)
@given(data=st.data())
def test_ncnn_reads_what_the_registry_predicts(name: str, loader: Loader, data: st.DataObject) -> None:
    agree(loader, name, data)


@pytest.mark.nightly
@pytest.mark.parametrize("name", WITH_WEIGHTS)
@settings(max_examples=2000, deadline=None, suppress_health_check=FIXTURE)
@given(data=st.data())
def test_ncnn_reads_what_the_registry_predicts_in_depth(
    name: str, loader: Loader, data: st.DataObject
) -> None:
    agree(loader, name, data)
