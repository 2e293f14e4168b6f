"""``pnnx.Expression``: arithmetic in one layer, ``mul(@0,add(@1,0.25))``, that ncnn has as several."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from ncnnparam.ops import registry
from ncnnparam.passes.pnnx.base import Repair, layers_of

if TYPE_CHECKING:
    from ncnnparam.graph import Blob, Graph, Layer
    from ncnnparam.model import Model
    from ncnnparam.passes.base import PassResult

MOST_DEPTH = 64
"""How deep calls may be nested."""

_TOKEN = re.compile(
    r"@(?P<input>[0-9]{1,4})|(?P<name>[a-z_][a-z0-9_]*)\(|(?P<mark>[(),])|(?P<number>[^(),@]+)"
)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,3})?")
_COMMUTE = frozenset(("add", "mul", "max", "min"))
_OTHER_NAMES = {"maximum": "max", "minimum": "min"}


@dataclass(frozen=True)
class Call:
    """A function of an expression and what it is applied to."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Input:
    """An input of the layer, ``@0``."""

    index: int


Expression: TypeAlias = Call | Input | float


class NotArithmeticError(ValueError):
    """An expression that ncnn's layers cannot compute."""


class ExpandExpressions(Repair):
    """Replace pnnx.Expression by BinaryOp and UnaryOp."""

    name = "pnnx-expand-expressions"

    def repair(self, model: Model, result: PassResult) -> None:
        """Replaces each one that is arithmetic; its text stands in the ``.pnnx.param`` alone."""
        for layer in layers_of(model.graph, "pnnx.Expression"):
            operator = self.operator(layer)
            text = operator.params.get("expr") if operator is not None else None
            if text is None:
                result.decline("its text is only in the .pnnx.param, which has no such operator", layer.name)
                continue
            try:
                expression = parse_expression(text)
                _check(expression, layer)
            except NotArithmeticError as error:
                result.decline(f"{text}: {error}", layer.name)
                continue
            _expand(model.graph, layer, expression)
            result.change(f"{text}: computed by ncnn's layers", layer.name)


def parse_expression(text: str) -> Expression:
    """Reads an expression.

    Raises:
        NotArithmeticError: It is none, or it is nested too deep.
    """
    tokens = list(_TOKEN.finditer(text))
    if "".join(token[0] for token in tokens) != text:
        raise NotArithmeticError("this is no arithmetic")
    tokens.reverse()
    expression = _parse(tokens, 0)
    if tokens:
        raise NotArithmeticError(f"'{tokens[-1][0]}' is too much")
    return expression


def _parse(tokens: list[re.Match[str]], depth: int) -> Expression:
    if not tokens or depth > MOST_DEPTH:
        raise NotArithmeticError("nested too deep" if tokens else "it ends too early")
    token = tokens.pop()
    if token["input"] is not None:
        return Input(int(token["input"]))
    if token["number"] is not None and _NUMBER.fullmatch(token["number"]):
        return float(token["number"])
    if token["name"] is None:
        raise NotArithmeticError(f"'{token[0]}' is no number")
    arguments = [_parse(tokens, depth + 1)]
    while tokens and tokens[-1][0] == ",":
        tokens.pop()
        arguments.append(_parse(tokens, depth + 1))
    if not tokens or tokens.pop()[0] != ")":
        raise NotArithmeticError("a bracket is open")
    return Call(_OTHER_NAMES.get(token["name"], token["name"]), tuple(arguments))


def _check(expression: Expression, layer: Layer) -> None:
    """Raises NotArithmeticError unless ``_blob`` can make layers of it."""
    if isinstance(expression, Input):
        if expression.index >= len(layer.inputs):
            raise NotArithmeticError(f"there is no input @{expression.index}")
        return
    if isinstance(expression, float):
        raise NotArithmeticError("a number alone is no layer")
    arguments = expression.arguments
    known = operations({1: "UnaryOp", 2: "BinaryOp"}.get(len(arguments), ""))
    constants = [argument for argument in arguments if isinstance(argument, float)]
    if expression.name not in known:
        raise NotArithmeticError(f"ncnn has no '{expression.name}' of {len(arguments)}")
    if len(constants) == len(arguments):
        raise NotArithmeticError("it computes with numbers alone")
    if isinstance(arguments[0], float) and _reversed(expression.name) not in known:
        raise NotArithmeticError(f"ncnn has no '{expression.name}' of a number and a blob")
    for argument in arguments:
        if not isinstance(argument, float):
            _check(argument, layer)


def _expand(graph: Graph, layer: Layer, expression: Expression) -> None:
    blob = _blob(graph, layer, expression)
    out = layer.outputs[0]
    name, is_output = out.name, not out.uses
    graph.replace_uses(out, blob)
    graph.remove(layer, reconnect=False)
    if is_output:
        blob.name = name


def _blob(graph: Graph, layer: Layer, expression: Expression) -> Blob:
    """The blob with the value of an expression, computed above the layer."""
    if isinstance(expression, Input):
        return layer.inputs[expression.index].source
    assert isinstance(expression, Call)
    blobs = [_blob(graph, layer, one) for one in expression.arguments if not isinstance(one, float)]
    constants = [one for one in expression.arguments if isinstance(one, float)]
    name = expression.name
    if len(expression.arguments) == 1:
        operation = operations("UnaryOp").index(name)
        return graph.add("UnaryOp", inputs=blobs, before=layer, op_type=operation).outputs[0]
    if isinstance(expression.arguments[0], float):
        name = _reversed(name)
    made = graph.add("BinaryOp", inputs=blobs, before=layer, op_type=operations("BinaryOp").index(name))
    if constants:
        made["with_scalar"], made["b"] = 1, constants[0]
    return made.outputs[0]


def _reversed(name: str) -> str:
    """The operation with its operands in reverse."""
    return name if name in _COMMUTE else f"r{name}"


@cache
def operations(type: str) -> tuple[str, ...]:
    """Names in ncnn for the operations of a type, by number."""
    layer_type = registry.get(type)
    spec = layer_type.param("op_type") if layer_type is not None else None
    return tuple(spec.values.values()) if spec is not None else ()
