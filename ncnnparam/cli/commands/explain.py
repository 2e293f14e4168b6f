"""``ncnnparam explain``: the params and weights of a layer type, or of a layer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ncnnparam.cli.common import (
    PATH_OR_STREAM,
    emit,
    emit_json,
    format_option,
    max_size_option,
    ops_option,
    read_model,
)
from ncnnparam.cli.completers import layer_names, types_and_files

if TYPE_CHECKING:
    from ncnnparam.graph import Layer
    from ncnnparam.ops import LayerType, WeightArray
    from ncnnparam.views.explain import ParamRow

STATED = "*"


@click.command(name="explain")
@click.argument("model", metavar="TYPE|MODEL", type=PATH_OR_STREAM, shell_complete=types_and_files)
@click.argument("name", metavar="[LAYER]", required=False, shell_complete=layer_names)
@format_option
@ops_option
@max_size_option
def command(model: str, name: str | None, form: str, max_size: int) -> None:
    """Tell what a layer type is, or what a layer of a model says.

    Lists the params with ids, names in ncnn's source, types, defaults and meanings; for a layer the values
    that count, with a * at those which its line states. Then the weights, in the order of the .bin.

    \b
    ncnnparam explain Convolution
    ncnnparam explain encoder.ncnn.param conv_172
    ncnnparam explain Gemm --format json
    """
    if name is None and (os.path.isfile(model) or model.endswith(".param")):
        raise click.UsageError(f"name a layer of it: ncnnparam explain {model} LAYER")
    if name is None:
        _explain_type(model, form)
    else:
        _explain_layer(read_model(model, max_size).graph.layer(name), form)


def _explain_type(name: str, form: str) -> None:
    from ncnnparam.views.explain import known_type, type_params, weight_terms

    layer_type = known_type(name)
    rows = type_params(layer_type)
    if form == "json":
        emit_json({**_type_json(layer_type), "params": [_param_json(row) for row in rows]})
        return
    from ncnnparam.cli.table import print_table

    emit(f"{name}: {_type_text(layer_type)}\n\n")
    print_table(
        ("id", "name", "type", "default", "meaning"),
        [(row.id, row.name, row.spec and row.spec.type, row.default_text, row.meaning_text) for row in rows],
        right=("id",),
    )
    if layer_type.weights:
        emit("\n")
        print_table(
            ("weight", "kind", "shape", "elements", "if"),
            [
                (spec.name, spec.kind, ", ".join(map(str, spec.shape)), spec.count, spec.when)
                for spec in layer_type.weights
            ],
        )
        for name, text in weight_terms(layer_type).items():
            emit(f"{name} is {text}\n")


def _explain_layer(layer: Layer, form: str) -> None:
    from ncnnparam.ops import registry
    from ncnnparam.views.explain import layer_params

    layer_type = registry.get(layer.type)
    rows = layer_params(layer, _metadata_names(layer))
    arrays = _arrays(layer)
    if form == "json":
        emit_json(
            {
                "type": layer.type,
                "name": layer.name,
                "line": layer.line,
                "inputs": [blob.name for blob in layer.inputs],
                "outputs": [blob.name for blob in layer.outputs],
                "known": layer_type is not None,
                "params": [
                    {**_param_json(row), "value": row.value, "stated": bool(row.stated)} for row in rows
                ],
                "weights": None if arrays is None else [_array_json(array) for array in arrays],
            }
        )
        return
    from ncnnparam.cli.table import print_table

    about = _type_text(layer_type) if layer_type else "a type that is not known"
    emit(f"{layer.name}, line {layer.line}\n{layer.type}: {about}\n{_wiring(layer)}\n")
    if rows:
        print_table(
            ("id", "name", "value", "", "default", "meaning"),
            [
                (
                    row.id,
                    row.name,
                    row.value_text,
                    STATED if row.stated else "",
                    row.default_text,
                    row.spec.meaning if row.spec and row.spec.name == row.name else "",
                )
                for row in rows
            ],
            right=("id",),
        )
    if arrays is None:
        emit("\nits params make no sense for weights: ncnnparam check tells why\n")
    elif arrays:
        emit("\n")
        print_table(
            ("weight", "kind", "shape", "elements"),
            [(array.name, array.kind, " x ".join(map(str, array.shape)), array.count) for array in arrays],
            right=("elements",),
        )


def _arrays(layer: Layer) -> Sequence[WeightArray] | None:
    """The weights that a layer wants; None if its params make no sense."""
    from ncnnparam.errors import WeightsError
    from ncnnparam.weights import wanted

    try:
        return wanted(layer)
    except WeightsError:
        return None


def _metadata_names(layer: Layer) -> dict[int, str] | None:
    """What the keys of a SherpaMetaData layer are called in icefall; None for other layers."""
    from ncnnparam.speech.flags import numbered_kind
    from ncnnparam.speech.metadata import LAYER_TYPE

    kind = numbered_kind(layer.params.get(0)) if layer.type == LAYER_TYPE else None
    if kind is None:
        return None
    names = {
        field.key: field.label + (f" / {field.divisor}" if field.divisor > 1 else "") for field in kind.fields
    }
    return {0: f"kind: {kind.name}", **names}


def _type_text(layer_type: LayerType) -> str:
    """A type in a few words."""
    from ncnnparam.views.explain import since_text

    words = [
        layer_type.summary,
        f"inputs: {layer_type.inputs}",
        f"outputs: {layer_type.outputs}",
        "not part of ncnn" if layer_type.custom else "",
        "has weights" if layer_type.weights else "",
        since_text(layer_type),
    ]
    return "; ".join(word for word in words if word)


def _wiring(layer: Layer) -> str:
    """Where each input comes from and where each output goes, a line each; Splits are seen through."""
    lines = []
    for blob in layer.inputs:
        producer = blob.source.producer
        lines.append(f"  reads {blob.source.name} from {producer.name if producer else 'no layer'}")
    for blob in layer.outputs:
        readers = ", ".join(dict.fromkeys(use.layer.name for use in blob.readers)) or "no layer"
        lines.append(f"  writes {blob.name} for {readers}")
    return "".join(f"{line}\n" for line in lines)


def _type_json(layer_type: LayerType) -> dict[str, Any]:
    from ncnnparam.ops.versions import type_since
    from ncnnparam.views.explain import weight_terms

    return {
        "type": layer_type.name,
        "summary": layer_type.summary,
        "inputs": str(layer_type.inputs),
        "outputs": str(layer_type.outputs),
        "custom": layer_type.custom,
        "since": type_since(layer_type.name),
        "weights": [
            {
                "name": spec.name,
                "kind": spec.kind,
                "shape": list(spec.shape),
                "count": spec.count or None,
                "when": spec.when or None,
            }
            for spec in layer_type.weights
        ],
        "terms": weight_terms(layer_type),
    }


def _array_json(array: WeightArray) -> dict[str, Any]:
    return {"name": array.name, "kind": array.kind, "shape": list(array.shape), "count": array.count}


def _param_json(row: ParamRow) -> dict[str, Any]:
    spec = row.spec
    return {
        "id": row.id,
        "name": row.name,
        "type": spec.type if spec else None,
        "default": spec.default if spec else None,
        "meaning": spec.meaning if spec else None,
        "values": {str(value): word for value, word in spec.values.items()} if spec else {},
    }
