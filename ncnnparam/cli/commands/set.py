"""``ncnnparam set``: params of layers by name or id."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from ncnnparam.cli.common import (
    edit_options,
    find_layers,
    finish_edit,
    max_size_option,
    model_argument,
    ops_option,
    read_model,
    say_names,
)
from ncnnparam.cli.completers import layer_names, type_names

if TYPE_CHECKING:
    from ncnnparam.graph import Layer
    from ncnnparam.ops import ParamSpec
    from ncnnparam.syntax import Param, Value

_ID = re.compile(r"[+-]?[0-9]+")
EMPTY_ARRAY = "[]"


@click.command(name="set")
@model_argument
@click.argument("layer", metavar="LAYER", shell_complete=layer_names)
@click.argument("assignments", metavar="[KEY=VALUE]...", nargs=-1)
@click.option(
    "--unset", "removals", metavar="KEY", multiple=True, help="Remove a param, so that ncnn's default counts."
)
@click.option(
    "--type", "type_glob", metavar="GLOB", shell_complete=type_names, help="Only layers of these types."
)
@edit_options
@ops_option
@max_size_option
def command(
    model: str,
    layer: str,
    assignments: tuple[str, ...],
    removals: tuple[str, ...],
    type_glob: str | None,
    output: str | None,
    backup: bool,
    dry_run: bool,
    max_size: int,
) -> None:
    """Change params of a layer, or of all layers that a glob or a selector means.

    LAYER is a name, a glob or a selector (see ncnnparam find). KEY is a param's name in ncnn's source or
    its id (see ncnnparam explain). VALUE is written as in a .param file; an array as 1,2,3 and an empty one
    as []. KEY= removes the param, as --unset KEY does. When one layer cannot take a value, nothing is
    changed.

    \b
    ncnnparam set encoder.ncnn.param relu_1 slope=0.1
    ncnnparam set encoder.ncnn.param conv_172 activation_type=2 activation_params=0.1
    ncnnparam set encoder.ncnn.param '*' --type Convolution 31=1 --dry-run
    ncnnparam set encoder.ncnn.param 'Gemm[constantN>64] and after(in0)' featmask=1
    ncnnparam set encoder.ncnn.param conv_172 --unset pad_value -o out.param
    """
    if not assignments and not removals:
        raise click.UsageError("say what to change: KEY=VALUE or --unset KEY")
    changes = [*map(_split, assignments), *((key, "") for key in removals)]
    target = read_model(model, max_size)
    layers = find_layers(target.graph, layer, type=type_glob)
    said: dict[str, list[str]] = {}
    for found in layers:
        for key, text in changes:
            said.setdefault(_change(found, key, text), []).append(found.name)
    finish_edit(target, output, backup, dry_run)
    for what, names in said.items():
        say_names(what, names)


def _split(assignment: str) -> tuple[str, str]:
    key, equals, text = assignment.partition("=")
    if not key or not equals:
        raise click.UsageError(f"'{assignment}' is not of the form KEY=VALUE")
    return key, text


def _change(layer: Layer, key: str, text: str) -> str:
    """Changes one param of one layer and tells how."""
    from ncnnparam.views.layers import value_text

    id, spec = _param(layer, key)
    label = _label(layer, id, spec)
    old = layer.params.find(id)
    if not text:
        if old is None:
            return f"{label} is not stated"
        del layer.params[id]
        return f"{label} {value_text(old)} removed"
    value = _value(key, id, spec, text)
    if spec is not None:
        _refuse_violation(layer, spec, value)
        layer[spec.name] = value
    else:
        layer.params[id] = value
    new = layer.params.find(id)
    assert new is not None
    if new is old:
        return f"{label} is {value_text(new)} already"
    return f"{label} {value_text(old) if old else 'not stated'} -> {value_text(new)}"


def _param(layer: Layer, key: str) -> tuple[int, ParamSpec | None]:
    """The id that a key means in a layer, and what the registry knows of the param.

    Raises:
        NotFoundError: The layer's type has no param of that name.
    """
    from ncnnparam.errors import NotFoundError
    from ncnnparam.ops import registry
    from ncnnparam.syntax.values import OLD_ARRAY_BASE

    layer_type = registry.get(layer.type)
    if _ID.fullmatch(key):
        id = OLD_ARRAY_BASE - int(key) if _is_old_array_id(key) else int(key)
        return id, layer_type.param(id) if layer_type else None
    if layer_type is None:
        raise NotFoundError(
            f"layer '{layer.name}' is a '{layer.type}', whose params are not known", hint="use the id: 0=1"
        )
    spec = layer_type.param(key)
    if spec is None:
        hint = layer_type.suggest(key) or f"ncnnparam explain {layer.type} lists its params"
        raise NotFoundError(f"layer '{layer.name}' is a {layer.type} and has no param '{key}'", hint=hint)
    return spec.id, spec


def _value(key: str, id: int, spec: ParamSpec | None, text: str) -> Value:
    """What a text says: the language itself reads it, the registry tells which kind is wanted.

    Raises:
        GraphError: It is no value, or one that some release of ncnn would read otherwise.
    """
    from ncnnparam.syntax.values import OLD_ARRAY_BASE

    kind = spec.type if spec else None
    if text == EMPTY_ARRAY:
        return ()
    if kind == "string" and not text.startswith('"'):
        return text
    if kind == "array" or "," in text:
        if not _is_old_array_id(key):
            items = text.removesuffix(",")
            text = f"{items.count(',') + 1},{items}"
        id = OLD_ARRAY_BASE - id
    return _read(f"{id}={text}").value


def _refuse_violation(layer: Layer, spec: ParamSpec, value: Value) -> None:
    """Raises GraphError for a value that ncnn would refuse or not read."""
    from ncnnparam.errors import GraphError

    violation = spec.kind_violation(value) or spec.range_violation(value)
    if violation is not None:
        raise GraphError(f"layer '{layer.name}': {violation.message}")


def _read(text: str) -> Param:
    """The param of a text."""
    from ncnnparam.errors import GraphError
    from ncnnparam.syntax.params import ParamsError, read_params

    try:
        params, notes = read_params(text)
    except ParamsError as error:
        raise GraphError(error.message) from None
    if len(params) != 1:
        raise GraphError(f"'{text}' is more than one value", hint="a string with blanks stands in quotes")
    for note in notes:
        if note.code != "mixed-array":  # is written as floats
            raise GraphError(note.message)
    return params[0]


def _is_old_array_id(key: str) -> bool:
    from ncnnparam.syntax.values import OLD_ARRAY_BASE

    return _ID.fullmatch(key) is not None and int(key) <= OLD_ARRAY_BASE


def _label(layer: Layer, id: int, spec: ParamSpec | None) -> str:
    """A param by name, or by id with a warning if the layer's type is known not to read it."""
    from ncnnparam.ops import registry

    if spec is not None:
        return spec.name
    return f"{id} ({layer.type} does not read it)" if registry.get(layer.type) else str(id)
