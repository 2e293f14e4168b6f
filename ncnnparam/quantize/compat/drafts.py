"""The layers of a model while ncnn2int8 quantises: params that change, weights that become int8."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ncnnparam.errors import ConfigError
from ncnnparam.ops import registry
from ncnnparam.quantize.blocks import blocks, largest
from ncnnparam.quantize.compat.numbers import to_int8
from ncnnparam.quantize.compat.scale_table import tables
from ncnnparam.quantize.int8_form import (
    INPUT_SCALES,
    INT8_OUTPUT,
    OUTPUT_SCALES,
    Int8Form,
    Scaled,
    has_int8,
    int8_form,
    switch,
)
from ncnnparam.quantize.requantize import direct_links, split_links
from ncnnparam.quantize.table import Table, weight_key
from ncnnparam.weights import Storage
from ncnnparam.weights.layout import describe
from ncnnparam.weights.values import Reader, reader

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.graph import Graph, Layer
    from ncnnparam.syntax import Value

Pieces = Callable[[], Iterator["NDArray[np.int8]"]]

_NO_TABLE = frozenset(("Gemm", "SDPA"))
"""Types of which the C++ tool finds the scales itself, and which it always quantises."""
_LAID = {"A_data": ("transA", 0), "B_data": ("transB", 1)}
"""How the C++ tool wants Gemm's matrices to lie."""
_LARGEST = np.float32(127)


@dataclass
class Draft:
    """A layer that is going to be written.

    Attributes:
        layer: The layer as it is.
        params: What it will say.
        int8: Weights that become int8, by name, made in pieces when they are written.
        scales: Scales that are new, by name.
    """

    layer: Layer
    params: dict[int, Value]
    int8: dict[str, Pieces] = field(default_factory=dict)
    scales: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    @property
    def is_int8(self) -> bool:
        """Whether some of its weights are int8, by now or from the beginning."""
        return bool(self.int8) or any(one.storage is Storage.INT8 for one in self.layer._weights)

    @property
    def is_quantized(self) -> bool:
        """Whether the C++ tool says of it that it computes in int8, and it did not before."""
        param = switch(self.layer.type)
        return param is not None and self.params.get(param, 0) != self.layer.params.get(param, 0)

    def make_int8(self, form: Int8Form) -> None:
        """Lets the params say int8."""
        self.params[form.param] = form.value

    def keep_output(self, form: Int8Form, scales: NDArray[np.float32]) -> None:
        """Lets the output stay int8; done twice, it breaks the layer as the C++ tool does."""
        value = self.params[form.param]
        assert isinstance(value, int)
        self.params[form.param] = value + INT8_OUTPUT
        self.scales[OUTPUT_SCALES] = scales


class Drafts:
    """All layers of a model, quantised by a table as the C++ tool does it."""

    def __init__(self, graph: Graph, table: Table | None) -> None:
        """Quantises.

        Raises:
            ConfigError: The C++ tool would refuse the model, die, or write what nobody can foretell.
        """
        self.graph = graph
        self._drafts = {layer: Draft(layer, dict(layer.params)) for layer in graph}
        self._inputs, self._weights = tables(table) if table is not None else ({}, {})
        types = dict.fromkeys(layer.type for layer in graph if has_int8(layer.type))
        if table is None:
            self._require_no_table()
        for type in types:
            self._quantize_all(graph.find(type))
        self._keep_outputs()

    def __iter__(self) -> Iterator[Draft]:
        return iter(self._drafts.values())

    def _require_no_table(self) -> None:
        for layer in self.graph:
            form = int8_form(layer)
            if form and form.scaled and not form.needs_input_scale and layer.type not in _NO_TABLE:
                raise ConfigError(
                    f"{describe(layer)} needs scales of a table: without one ncnn2int8 refuses the model",
                    hint="give --table, or leave --compat away: the scales of such weights can be computed",
                )

    def _quantize_all(self, layers: list[Layer]) -> None:
        """Quantises the layers of a type, up to the first one for which the table lacks scales of weights."""
        for layer in layers:
            form = int8_form(layer)
            if form is None or (form.needs_input_scale and layer.name not in self._inputs):
                continue
            draft = self._drafts[layer]
            if layer.type in _NO_TABLE:
                self._check(draft)
                _quantize_gemm(draft, form)
                continue
            rows = [self._weights.get(weight_key(layer.name, one.number)) for one in form.scaled]
            found = [row for row in rows if row is not None]
            if len(found) < len(rows):
                return
            self._check(draft)
            self._check_counts(layer, form, found)
            for scaled, scales in zip(form.scaled, found, strict=True):
                draft.int8[scaled.weights.name] = partial(_int8, layer, scaled, scales)
                draft.scales[scaled.scales.name] = scales
            if form.needs_input_scale:
                draft.scales[INPUT_SCALES] = self._inputs[layer.name]
            draft.make_int8(form)

    def _check(self, draft: Draft) -> None:
        layer = draft.layer
        quantized = any(one.storage in (Storage.INT8, Storage.BYTES) for one in layer._weights)
        if quantized:
            raise ConfigError(
                f"{describe(layer)} is quantised already; ncnn2int8 would take its numbers for floats",
                hint="begin with the float model",
            )

    def _check_counts(self, layer: Layer, form: Int8Form, rows: list[NDArray[np.float32]]) -> None:
        wanted = {weight_key(layer.name, one.number): one.scales.count for one in form.scaled}
        given = dict(zip(wanted, map(len, rows), strict=True))
        if form.needs_input_scale:
            wanted[layer.name], given[layer.name] = 1, len(self._inputs[layer.name])
        for key, count in wanted.items():
            if given[key] != count:
                raise ConfigError(
                    f"the row '{key}' of the table has {given[key]} scales, {describe(layer)} wants {count}; "
                    "ncnn2int8 would write a model that does not load, or die",
                    hint="make the table again, from this model",
                )

    def _keep_outputs(self) -> None:
        def is_int8(layer: Layer) -> bool:
            return self._drafts[layer].is_int8

        links = [(layer, [reader]) for layer, reader in direct_links(self.graph, is_int8)]
        for layer, readers in (*links, *split_links(self.graph, is_int8)):
            form = int8_form(layer)
            if form is not None:
                self._drafts[layer].keep_output(form, self._input_scales(readers[0]))

    def _input_scales(self, layer: Layer) -> NDArray[np.float32]:
        """The scale of a layer's input, once for each group if the layer was loaded with it."""
        new = self._drafts[layer].scales.get(INPUT_SCALES)
        if new is not None:
            return new
        layer_type = registry.get(layer.type)
        groups = layer["group"] if layer_type is not None and layer_type.param("group") else 1
        assert isinstance(groups, int)
        return np.repeat(layer.weights[INPUT_SCALES].numpy(np.float32), groups)


def _quantize_gemm(draft: Draft, form: Int8Form) -> None:
    """Quantises a layer that needs no table: constant A row by row, constant B with one scale for all.

    If B lies transposed already, the C++ tool looks at its first row only to find that scale.
    """
    layer = draft.layer
    for scaled in form.scaled:
        name = scaled.weights.name
        param, laid = _LAID[name]
        transposed = bool(layer[param]) != bool(laid)
        first, second = scaled.weights.shape
        rows, columns = (second, first) if transposed else (first, second)
        whole = scaled.scales.count == 1 and transposed
        shape = (1, rows * columns) if whole else (rows, columns)
        peaks = largest(_reader(layer, name, transposed), *shape)[: scaled.scales.count]
        scales = np.where(peaks == 0, np.float32(1), _LARGEST / np.where(peaks == 0, 1, peaks))
        draft.int8[name] = partial(_runs, layer, name, transposed, shape, scales.astype(np.float32))
        draft.scales[scaled.scales.name] = scales.astype(np.float32)
        if transposed:
            draft.params[_id(layer, param)] = laid
    draft.make_int8(form)


def _int8(layer: Layer, scaled: Scaled, scales: NDArray[np.float32]) -> Iterator[NDArray[np.int8]]:
    shape = (len(scales), scaled.weights.count // len(scales))
    return _runs(layer, scaled.weights.name, False, shape, scales)


def _runs(
    layer: Layer, name: str, transposed: bool, shape: tuple[int, int], scales: NDArray[np.float32]
) -> Iterator[NDArray[np.int8]]:
    for block in blocks(_reader(layer, name, transposed), *shape):
        yield to_int8(block.values, scales if len(scales) == 1 else scales[block.rows])


def _reader(layer: Layer, name: str, transposed: bool = False) -> Reader:
    """Reads an array; a model without a ``.bin`` has zeros for numbers."""
    if name not in layer.weights:
        return lambda start, out: out.fill(0)
    read = reader(layer, name, transposed=transposed)
    assert read is not None
    return read


def _id(layer: Layer, name: str) -> int:
    layer_type = registry.get(layer.type)
    spec = layer_type.param(name) if layer_type is not None else None
    assert spec is not None
    return spec.id
