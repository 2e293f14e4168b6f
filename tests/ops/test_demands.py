"""What the registry calls a violation is what the real ncnn refuses, for each of its types."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from ncnnparam.errors import OpsError
from ncnnparam.ops import LayerType, ParamSpec, registry
from ncnnparam.syntax import Value

from .counting import Loader, line_of, reads_of
from .strategies import sound_params

pytest.importorskip("ncnn")

NOT_BUILT = {"ArgMax", "SPP"}  # ncnn's own build files leave them out
TYPES = [name for name in registry.names() if not registry.get(name).custom and name not in NOT_BUILT]
FIXTURE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

# the least that ncnn asks of types whose defaults it refuses
BASES: dict[str, dict[int, Value]] = {
    "Einsum": {0: (105, 106, 45, 62, 105)},  # ij->i
    "Fold": {1: 2},
    "InverseSpectrogram": {0: 8},
    "Pooling": {1: 2},
    "Pooling1D": {1: 2},
    "Pooling3D": {1: 2},
    "PriorBox": {0: (1.0,)},
    "ROIAlign": {0: 2, 1: 2},
    "Reshape": {0: 4},
    "Spectrogram": {0: 8},
    "Unfold": {1: 2},
    "YoloDetectionOutput": {1: 1, 4: (1.0, 2.0, 3.0, 4.0)},
    "Yolov3DetectionOutput": {1: 1, 4: (1.0, 2.0), 5: (0.0,), 6: (1.0,)},
}
OTHER_KINDS: tuple[Value, ...] = (7, 2.5, (1, 2), (1.5, 2.5), "abc")
INTS = (-400, -234, -233, -5, -4, -1, 0, 1, 2, 3, 4, 5, 6, 7, 11, 16, 19, 24, 28, 100, 101, 400, 413, 2**22)
# what ncnn demands of these is no formula over ints: letters of an equation, finite and positive floats, ...;
# and a load_type is not refused before load_model
BEYOND_FORMULAS = {"load_type", "equation_mat", "biases", "mask", "anchors_scale", "shape_expr", "slices"}


@pytest.fixture(scope="module")
def loader() -> Iterator[Loader]:
    with Loader() as running:
        yield running


def known(name: str) -> LayerType:
    layer_type = registry.get(name)
    assert layer_type is not None
    return layer_type


def values(spec: ParamSpec) -> st.SearchStrategy[Value]:
    if spec.type == "int":
        return st.sampled_from(INTS)
    if spec.type == "float":
        return st.sampled_from((-1.0, 0.0, 0.5, 2.0))
    if spec.type == "string":
        return st.sampled_from(("0w", "0w,0h"))
    ints = st.lists(st.integers(-6, 5), max_size=5).map(tuple)
    return ints if spec.items == "int" else st.lists(st.sampled_from((-0.5, 0.0, 2.5)), max_size=4).map(tuple)


def sound(name: str) -> dict[int, Value]:
    """Some params that ncnn takes."""
    if name in BASES or not known(name).weights:
        return BASES.get(name, {})
    at_once = settings(phases=[Phase.generate], database=None)
    return find(sound_params(name), lambda params: not known(name).violations(params), settings=at_once)


def agree(loader: Loader, name: str, data: st.DataObject) -> None:
    layer_type = known(name)
    base = data.draw(sound_params(name)) if layer_type.weights else BASES.get(name, {})
    params = dict(base)
    changeable = [spec for spec in layer_type.params if spec.name not in BEYOND_FORMULAS]
    if changeable:
        for spec in data.draw(st.lists(st.sampled_from(changeable), max_size=3)):
            params[spec.id] = data.draw(values(spec))
    line = line_of(layer_type, params)
    load = loader.load(line)
    violations = [violation.message for violation in layer_type.violations(params)]
    assert load.accepted == (not violations), (line, violations, load.messages)
    if load.accepted:
        try:
            expected = [size for array in layer_type.weight_layout(params) for size in reads_of(array, 0)]
        except OpsError:
            # of two negative sizes ncnn takes the product
            assert not load.loaded or (name == "MemoryData" and min(params.values()) < 0), line
        else:
            assert load.reads == expected or max(expected) > 2**25, line


@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=12, deadline=None, suppress_health_check=FIXTURE)
@given(data=st.data())
def test_violations_are_what_ncnn_refuses(name: str, loader: Loader, data: st.DataObject) -> None:
    agree(loader, name, data)


@pytest.mark.parametrize("name", TYPES)
def test_a_value_of_another_type_is_dropped_or_refused(name: str, loader: Loader) -> None:
    """Each param of a sound layer, with a value of each type that it is not."""
    layer_type, base = known(name), sound(name)
    for spec in layer_type.params:
        for value in OTHER_KINDS:
            params = {**base, spec.id: value}
            if not spec.reads(value):
                refused = any(violation.refused for violation in layer_type.violations(params))
                line = line_of(layer_type, params)
                assert loader.load(line).accepted != refused, line


@pytest.mark.parametrize("load_type", range(-1, 10))
def test_memory_data_comes_in_few_kinds(load_type: int, loader: Loader) -> None:
    layer_type = known("MemoryData")
    for params in ({0: 3, 21: load_type}, {21: load_type}):
        load = loader.load(line_of(layer_type, params))
        assert load.loaded == (layer_type.violations(params) == []), params


def test_the_types_are_those_of_ncnn() -> None:
    import ncnn

    assert {name for name in TYPES if ncnn.layer_to_index(name) == -1} == set()
    assert {name for name in NOT_BUILT if ncnn.create_layer(name) is None} == NOT_BUILT


@pytest.mark.nightly
@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=500, deadline=None, suppress_health_check=FIXTURE)
@given(data=st.data())
def test_violations_are_what_ncnn_refuses_in_depth(name: str, loader: Loader, data: st.DataObject) -> None:
    agree(loader, name, data)
