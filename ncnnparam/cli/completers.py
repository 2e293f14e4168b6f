"""What the shell offers when TAB is pressed behind a model: the names in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from ncnnparam.graph import Graph


def layer_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of layers of the model on the command line."""
    graph = _graph(ctx)
    return _beginning(incomplete, (layer.name for layer in graph)) if graph is not None else []


def blob_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of blobs of the model on the command line; behind a comma, another one."""
    graph = _graph(ctx)
    done, comma, last = incomplete.rpartition(",")
    names = _beginning(last, (blob.name for blob in graph.blobs)) if graph is not None else []
    return [f"{done}{comma}{name}" for name in names]


def layer_and_blob_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of layers and of blobs of the model on the command line."""
    found = [*layer_names(ctx, param, incomplete), *blob_names(ctx, param, incomplete)]
    return list(dict.fromkeys(found))


def type_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Layer types that ncnn or sherpa-ncnn has."""
    from ncnnparam.ops import registry

    return _beginning(incomplete, registry.names())


def types_and_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Layer types, and files."""
    types = [CompletionItem(name) for name in type_names(ctx, param, incomplete)]
    return [*types, CompletionItem(incomplete, type="file")]


def _graph(ctx: click.Context) -> Graph | None:
    """The graph of the model that stands on the command line already, if it can be read."""
    from ncnnparam.errors import NcnnParamError
    from ncnnparam.model import load

    # while the value of an option is being typed, click has not yet sorted the other words
    path = ctx.params.get("model") or next(iter(ctx.args), None)
    if path is None or path == "-":
        return None
    try:
        return load(path).graph
    except NcnnParamError:
        return None


def _beginning(start: str, names: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.startswith(start)]
