"""A file in canonical form, with nothing lost on the way."""

from __future__ import annotations

from dataclasses import replace

from ncnnparam.errors import GraphError
from ncnnparam.graph import canonical_text, graph_from_syntax
from ncnnparam.syntax import ParamFile


def canonical(tree: ParamFile, *, drop_trailing: bool = False) -> str:
    r"""A file as ncnn's own tools would write it: one line a layer, padded columns, ``\n``, true counts.

    Params are spelled as they were.

    Args:
        tree: The file.
        drop_trailing: Leave out what stands behind the declared layers, which ncnn never reads.

    Raises:
        GraphError: The canonical form would lose something, or mean something else.
    """
    declared, present = tree.header.layer_count, len(tree.layers)
    if declared < 1 or declared > present:
        raise GraphError(
            f"{_name(tree)} declares {declared} layers and has {present}, so it is not clear what it means",
            hint="ncnnparam check --fix corrects the counts",
        )
    if not drop_trailing:
        _refuse_loss(tree)
    return canonical_text(graph_from_syntax(replace(tree, layers=tree.layers[:declared])))


def _refuse_loss(tree: ParamFile) -> None:
    declared, present = tree.header.layer_count, len(tree.layers)
    if declared < present:
        raise GraphError(
            f"{_name(tree)} declares {declared} layers and has {present}, and ncnn does not read the rest",
            hint="--drop-trailing leaves them out; ncnnparam check --fix raises the count",
        )
    if tree.trailing.strip():
        raise GraphError(
            f"{_name(tree)} has text behind its last layer, which would be lost",
            hint="--drop-trailing leaves it out",
        )


def _name(tree: ParamFile) -> str:
    return tree.name or "the text"
