"""What an equivalent is: something that says a layer with types that a runtime has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeAlias

from ncnnparam.errors import GraphError
from ncnnparam.graph.substitute import Wire
from ncnnparam.ops import registry
from ncnnparam.passes.base import PassResult
from ncnnparam.passes.compat.base import type_of
from ncnnparam.passes.compat.build import Build
from ncnnparam.passes.optimize.shapes import Shapes
from ncnnparam.patterns import RuleRewrite
from ncnnparam.patterns.conditions import Literals, fit
from ncnnparam.patterns.replacement import NewLayer, Setting

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer

Builder: TypeAlias = "Callable[[Layer, Build, Shapes], Wire | str]"
"""Builds what a layer becomes and gives its outcome, or tells why it cannot be."""


class Equivalent(Protocol):
    """Says layers of one type with others.

    Attributes:
        of: What it is for: a type, or a value of a param (``UnaryOp.0=21``).
        needs: What a runtime must have for it, said in the same way, or features of it (``compat.base.has``).
    """

    @property
    def of(self) -> str:
        """See above."""
        ...

    @property
    def needs(self) -> frozenset[str]:
        """See above."""
        ...

    def apply(self, graph: Graph) -> PassResult:
        """Replaces the layers of a graph that it can replace."""
        ...


class Written(RuleRewrite):
    """An equivalent that is written as a rule."""

    of: str = ""

    @cached_property
    def needs(self) -> frozenset[str]:
        """The types of the replacement, and the values that it states."""
        assert self.parsed_replacement is not None
        return frozenset(
            need for line in self.parsed_replacement.layers if line.type for need in _needs(line)
        )


class Built:
    """An equivalent that a function builds.

    Args:
        of: See ``Equivalent``.
        needs: See ``Equivalent``.
        build: The function.
    """

    def __init__(self, of: str, needs: frozenset[str], build: Builder) -> None:
        self.of = of
        self.needs = needs
        self._build = build

    def apply(self, graph: Graph) -> PassResult:
        """Replaces the layers of a graph that it can replace."""
        result = PassResult()
        shapes = Shapes(graph)
        for layer in graph.find(type_of(self.of)):
            build, name = Build(layer), layer.name
            found = _broken(layer) or self._build(layer, build, shapes)
            if isinstance(found, str):
                result.decline(found, name)
                continue
            try:
                made = build.finish(found)
            except GraphError as error:
                result.decline(error.message, name)
                continue
            result.change(f"{self.of} -> {' + '.join(layer.type for layer in made)}", name)
        return result


def _broken(layer: Layer) -> str | None:
    """Why a layer is none that ncnn would load, as far as the functions rely on it."""
    known = registry.get(layer.type)
    if known is None:
        return None
    for what, blobs, arity in (
        ("inputs", layer.inputs, known.inputs),
        ("outputs", layer.outputs, known.outputs),
    ):
        if len(blobs) not in arity:
            return f"it has {len(blobs)} {what} instead of {arity}"
    kinds = (spec.kind_violation(layer.params[spec.id]) for spec in known.params if spec.id in layer.params)
    return next((violation.message for violation in kinds if violation is not None), None)


def built(of: str, *needs: str) -> Callable[[Builder], Built]:
    """Makes an equivalent of a function."""
    return lambda function: Built(of, frozenset(needs), function)


def _needs(line: NewLayer) -> Iterator[str]:
    assert line.type is not None
    yield line.type
    layer_type = registry.get(line.type)
    for setting in line.settings:
        if isinstance(setting, Setting) and isinstance(setting.operand, Literals) and layer_type is not None:
            spec = layer_type.param(setting.key)
            if spec is not None and spec.values:
                yield f"{line.type}.{spec.id}={fit(setting.operand.values[0], spec)}"
