"""The rule of ``check --runtime``: what the installed ncnn itself says of a model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ncnnparam.checks.finding import Severity
from ncnnparam.checks.rule import Problem, Rule, rule
from ncnnparam.ops import registry
from ncnnparam.runtime.net import MEMORY, load_net

if TYPE_CHECKING:
    from ncnnparam.graph import Graph

_PER_BYTE = 8
"""Address space for a byte of weights: ncnn reads them, and makes packed copies of them."""
_MOST_LINES = 4


@rule("NP609", "runtime-load", Severity.ERROR, refused=True)
def runtime_load(graph: Graph) -> Iterator[Problem]:
    """The installed ncnn does not load the model."""
    return iter(())  # a graph alone is nothing that ncnn could load: see loaded_from


def loaded_from(param: str | os.PathLike[str], weights: str | os.PathLike[str] | None) -> Rule:
    """The rule for the files that a graph was read from; loads them in a child process.

    Raises (when it is used):
        NcnnParamError: The ``ncnn`` package is not installed.
    """

    def find(graph: Graph) -> Iterator[Problem]:
        types = {layer.type for layer in graph}
        known = {name: registry.get(name) for name in types}
        custom = [name for name, layer_type in known.items() if layer_type is not None and layer_type.custom]
        size = 0 if weights is None else os.stat(weights).st_size
        memory = max(MEMORY, _PER_BYTE * size)
        outcome = load_net(param, weights, custom_types=custom, memory=memory)
        if not outcome.ok:
            said = "; ".join(outcome.messages[-_MOST_LINES:])
            yield Problem(
                f"{outcome.problem} (ncnn {outcome.version})" if outcome.version else outcome.problem,
                hint=f"it said: {said}" if said else None,
            )

    return replace(runtime_load, find=find)
