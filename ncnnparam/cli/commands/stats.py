"""``ncnnparam stats``: parameters, bytes, multiply-accumulates and activations of a model."""

from __future__ import annotations

import re
from math import prod
from typing import TYPE_CHECKING, Any

import click

from ncnnparam.cli.common import (
    PATH,
    emit,
    emit_json,
    format_option,
    max_size_option,
    model_argument,
    ops_option,
    say,
    say_names,
)

if TYPE_CHECKING:
    from ncnnparam.model import Model
    from ncnnparam.ops.sizes import Shape
    from ncnnparam.stats import LayerStats, Stats, Tally, TypeStats

SORT_KEYS = {"parameters": "parameters", "bytes": "nbytes", "macs": "macs", "activations": "activations"}
LARGEST_INPUT = 1 << 28
"""The most numbers that an input may have: 1 GiB as float32."""
_SHAPE = re.compile(r"(.+)=([0-9]{1,10}(?:,[0-9]{1,10}){0,3})")


def _shapes(
    ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]
) -> list[tuple[str, tuple[int, ...]]]:
    """``in0=39,80`` as a name and sizes."""
    found = []
    for text in texts:
        match = _SHAPE.fullmatch(text)
        if match is None:
            raise click.BadParameter(
                f"'{text}': write NAME=SIZES, 1 to 4 sizes with commas as numpy orders them: "
                "in0=39,80 are 39 rows of 80"
            )
        shape = tuple(map(int, match[2].split(",")))
        if min(shape) < 1 or prod(shape) > LARGEST_INPUT:
            raise click.BadParameter(
                f"'{text}': sizes go from 1 up, and an input has at most {LARGEST_INPUT:,} numbers"
            )
        found.append((match[1], shape))
    return found


@click.command(name="stats")
@model_argument
@click.argument("weights", metavar="[BIN]", required=False, type=PATH)
@click.option(
    "--shape",
    "given",
    metavar="NAME=SIZES",
    multiple=True,
    callback=_shapes,
    help="Sizes of an input as numpy orders them, the width last: C,H,W or H,W or W. The network then runs "
    "on ncnn to find all shapes. NAME may be a glob; may be repeated.",
)
@click.option("--runtime", is_flag=True, help="Run the network on ncnn with the sizes that its file states.")
@click.option(
    "--layers",
    "most",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="N",
    help="How many of the largest layers to list.",
)
@click.option(
    "--sort",
    type=click.Choice(tuple(SORT_KEYS)),
    default="parameters",
    show_default=True,
    help="What makes a layer a large one.",
)
@format_option
@ops_option
@max_size_option
def command(
    model: str,
    weights: str | None,
    given: list[tuple[str, tuple[int, ...]]],
    runtime: bool,
    most: int,
    sort: str,
    form: str,
    max_size: int,
) -> None:
    """Count parameters, bytes, multiply-accumulates and activations of a model.

    Bytes need the .bin. Multiply-accumulates (MACs) and activations need shapes: those that the file
    states, or those that ncnn finds when it runs the network on zeros (--shape, --runtime; no .bin needed).

    \b
    ncnnparam stats encoder.ncnn.param encoder.ncnn.bin
    ncnnparam stats mobilenet.param --shape data=3,224,224
    ncnnparam stats encoder.ncnn.param --shape in0=39,80 --shape 'in?=16,48'
    ncnnparam stats mobilenet.param --runtime --sort macs --layers 20
    ncnnparam stats model.param model.bin --format json
    """
    from ncnnparam.model import load
    from ncnnparam.stats import measure, stated_shapes

    loaded = load(model, weights, max_size=max_size)
    shapes = _run(loaded, given) if given or runtime else stated_shapes(loaded.graph)
    stats = measure(loaded.graph, shapes)
    if form == "json":
        emit_json(_as_json("<stdin>" if model == "-" else model, stats))
    else:
        _print(stats, most, sort)
    _warn(stats)
    if loaded.file is not None and loaded.file.leftover:
        say(f"warning: {len(loaded.file.leftover):,} bytes behind the last array are not counted")


def _run(model: Model, given: list[tuple[str, tuple[int, ...]]]) -> dict[str, Shape]:
    """The shapes that ncnn finds."""
    from ncnnparam.errors import NcnnParamError
    from ncnnparam.ops import registry
    from ncnnparam.runtime import blob_shapes
    from ncnnparam.stats import input_shapes

    if model.path is None:
        raise click.UsageError("--shape and --runtime need a file that ncnn can read: name one in place of -")
    types = {layer.type for layer in model.graph}
    custom = [name for name in types if (known := registry.get(name)) is None or known.custom]
    outcome = blob_shapes(model.path, input_shapes(model.graph, given), custom_types=custom)
    if not outcome.ok:
        raise NcnnParamError(
            "; ".join([outcome.problem, *outcome.messages[:1]]),
            hint=f"do the sizes of the inputs fit? ncnnparam check {model.path} may tell what else is wrong",
        )
    if outcome.failed:
        say_names("warning: ncnn cannot compute these layers, and nothing below them", outcome.failed)
    return outcome.shapes


def _print(stats: Stats, most: int, sort: str) -> None:
    from ncnnparam.cli.table import print_table
    from ncnnparam.views.units import short, short_bytes

    emit(_headline(stats))
    sizes = ["bytes"] if stats.storages else []
    costs = ["MACs", "activations"] if stats.shaped else []
    columns = ["parameters", *sizes, *costs]

    def cells(row: TypeStats) -> list[str]:
        values = {
            "parameters": _sum(row.parameters),
            "bytes": short_bytes(row.nbytes),
            "MACs": _sum(row.macs),
            "activations": _sum(row.activations),
        }
        return [values[column] for column in columns]

    emit("\n")
    print_table(
        ("type", "layers", *columns),
        [(row.type, row.layers, *cells(row)) for row in stats.types],
        right=("layers", *columns),
    )
    if stats.storages:
        emit("\n")
        print_table(
            ("storage", "arrays", "parameters", "bytes"),
            [
                (row.storage, row.arrays, short(row.elements), short_bytes(row.nbytes))
                for row in stats.storages
            ],
            right=("arrays", "parameters", "bytes"),
        )
    largest = stats.largest(lambda layer: getattr(layer, SORT_KEYS[sort]), most)
    if largest:
        emit(f"\nmost {sort}:\n")
        print_table(
            ("layer", "type", *columns, *(["output"] if costs else [])),
            [
                (row.name, row.type, *cells(_alone(row)), *([_outputs(row)] if costs else []))
                for row in largest
            ],
            right=columns,
        )


def _headline(stats: Stats) -> str:
    from ncnnparam.views.summary import Port, port_text
    from ncnnparam.views.units import short_bytes

    total = stats.total
    size = f", {short_bytes(total.nbytes)}" if stats.storages else ""
    lines = [f"{total.layers} layers, {_sum(total.parameters)} parameters{size}"]
    if stats.shaped:
        lines.append(
            f"{_sum(total.macs)} MACs, {_sum(total.activations)} activations; "
            f"shapes known: {stats.shaped:,} of {stats.blobs:,} blobs"
        )
        ports = [Port(name, shape and tuple(reversed(shape))) for name, shape in stats.inputs.items()]
        lines.append(f"inputs, width first: {port_text(ports)}")
    else:
        lines.append("no shapes are known, so no MACs: say those of the inputs with --shape")
    return "".join(f"{line}\n" for line in lines)


def _sum(tally: Tally) -> str:
    """``1.23 M``; with a + where something is missing, or a ? where everything is."""
    from ncnnparam.views.units import short

    if tally.unknown and not tally.known:
        return "?"
    return short(tally.known) + ("+" if tally.unknown else "")


def _alone(layer: LayerStats) -> TypeStats:
    from ncnnparam.stats import TypeStats

    return TypeStats.of(layer.type, [layer])


def _outputs(layer: LayerStats) -> str:
    from ncnnparam.views.shapes import shape_text

    return " ".join(shape_text(tuple(reversed(shape))) if shape else "?" for shape in layer.outputs)


def _warn(stats: Stats) -> None:
    unknown = [layer for layer in stats.layers if not layer.known]
    if unknown:
        names = list(dict.fromkeys(layer.type for layer in unknown))
        say_names("warning: nobody knows the weights of these types; --ops declares them", names)
    for layer in stats.layers:
        if layer.known and layer.weights.problem:
            say(f"warning: weights not counted: {layer.weights.problem}")


def _as_json(file: str, stats: Stats) -> dict[str, Any]:
    return {
        "file": file,
        "total": _row_json(stats.total),
        "shaped_blobs": stats.shaped,
        "blobs": stats.blobs,
        "inputs": [{"name": name, "shape": shape and shape[::-1]} for name, shape in stats.inputs.items()],
        "types": [{"type": row.type, **_row_json(row)} for row in stats.types],
        "storage": [
            {
                "storage": str(row.storage),
                "arrays": row.arrays,
                "parameters": row.elements,
                "bytes": row.nbytes,
            }
            for row in stats.storages
        ],
        "layers": [_layer_json(layer) for layer in stats.layers],
    }


def _row_json(row: TypeStats) -> dict[str, Any]:
    sums = {"parameters": row.parameters, "macs": row.macs, "activations": row.activations}
    return {
        "layers": row.layers,
        **{name: tally.known for name, tally in sums.items()},
        "bytes": row.nbytes,
        "unknown": {name: tally.unknown for name, tally in sums.items()},
    }


def _layer_json(layer: LayerStats) -> dict[str, Any]:
    return {
        "name": layer.name,
        "type": layer.type,
        "known": layer.known,
        "parameters": layer.parameters,
        "bytes": layer.nbytes,
        "storage": sorted({str(stored.storage) for stored in layer.weights.arrays}),
        "macs": layer.macs,
        "activations": layer.activations,
        "outputs": [shape and shape[::-1] for shape in layer.outputs],
    }
