"""Puts a replacement in the place of a match."""

from __future__ import annotations

from collections.abc import Iterator

from ncnnparam.errors import GraphError
from ncnnparam.graph import Blob, Layer
from ncnnparam.graph.fanout import SHAPE_HINTS
from ncnnparam.graph.substitute import Draft, NewBlob, Wire, substitute
from ncnnparam.patterns.conditions import Bound, Computed, fit, spec_of
from ncnnparam.patterns.match import Match
from ncnnparam.patterns.replacement import NewLayer, Replacement, Setting, Spread
from ncnnparam.syntax import Param, Value


def replace_match(match: Match, replacement: Replacement) -> dict[str, Layer] | None:
    """Puts a replacement in the place of a match, whole or not at all.

    A layer of the replacement that has the name of a matched one is that layer, changed: it keeps its name
    and, as far as its params still ask for them, its weights. The blobs of the pattern's outputs keep theirs.

    Args:
        match: The match, fresh from the graph.
        replacement: What to put there.

    Returns:
        The layers of the replacement by variable, or None if all is as the replacement says already.

    Raises:
        GraphError: It cannot be done here.
        OpsError: A formula has no value here.
    """
    wires = _Wires(match)
    drafts = [_draft(match, layer, wires) for layer in replacement.layers]
    joined = {match.blobs[gone]: wires.read(instead)[0] for gone, instead in replacement.joins}
    if not joined and _is_there(match, drafts):
        return None
    layers = substitute(match.graph, match.layers, drafts, joined)
    for draft in drafts:
        if draft.kept is not None:
            _drop_weights(draft.kept)
    return {line.name: layer for line, layer in zip(replacement.layers, layers, strict=True)}


class _Wires:
    """The blobs that the variables of a replacement stand for."""

    def __init__(self, match: Match) -> None:
        self.match = match
        self.written = {id(blob) for layer in match.layers for blob in layer.outputs}
        self.outputs = {id(blob) for name in match.pattern.outputs for blob in self._matched(name)}
        self.known: dict[str, tuple[Wire, ...]] = {}
        self.taken: set[int] = set()

    def read(self, name: str) -> tuple[Wire, ...]:
        """What a variable that is read stands for: what was written above, or a blob from outside."""
        return self.known.get(name) or self._matched(name)

    def write(self, name: str) -> tuple[Wire, ...]:
        """What a variable that is written stands for: blobs that matched layers wrote, or a new one."""
        is_output = name in self.match.pattern.outputs
        blobs: tuple[Wire, ...] = self._matched(name)
        if not is_output and any(id(blob) in self.outputs or id(blob) not in self.written for blob in blobs):
            blobs = ()  # its layer is missing here, so it names the same blob as another variable
        if any(id(blob) in self.taken for blob in blobs):
            raise GraphError(f"'{name}' is the same blob as another output here")
        self.taken.update(map(id, blobs))
        self.known[name] = blobs or (NewBlob(),)
        return self.known[name]

    def _matched(self, name: str) -> tuple[Blob, ...]:
        if name in self.match.groups:
            return self.match.groups[name]
        return (self.match.blobs[name],) if name in self.match.blobs else ()


def _draft(match: Match, line: NewLayer, wires: _Wires) -> Draft:
    kept = match[line.name] if line.name in match.named else None
    type = line.type or (kept.type if kept is not None else "")
    inputs = tuple(wire for name in line.inputs for wire in wires.read(name))
    outputs = tuple(wire for name in line.outputs for wire in wires.write(name))
    params = tuple(_params(match, line, type, outputs, kept))
    return Draft(type, kept.name if kept else line.name, params, inputs, outputs, kept)


def _params(
    match: Match, line: NewLayer, type: str, outputs: tuple[Wire, ...], kept: Layer | None
) -> Iterator[Param]:
    """The params of a new layer, each id once and where it stood first."""
    params: dict[int, Param] = {}
    for setting in line.settings:
        if isinstance(setting, Spread):
            layer = match.get(setting.layer)
            stated = layer.params.raw if layer is not None else ()
            params |= {param.id: param for param in stated if param.id != SHAPE_HINTS}
        else:
            _set(match, params, type, setting)
    hint = _shape_hint(match, outputs)
    if hint is not None:
        params.setdefault(SHAPE_HINTS, hint)
    yield from params.values()


def _set(match: Match, params: dict[int, Param], type: str, setting: Setting) -> None:
    spec = spec_of(type, setting.key)
    if spec is None and isinstance(setting.key, str):
        raise GraphError(f"the type '{type}' has no param '{setting.key}'")
    id = spec.id if spec is not None else int(setting.key)
    if setting.operand is None:
        params.pop(id, None)
        return
    value = fit(_operand_value(match, setting), spec)
    old = params.get(id)
    try:
        new = Param.make(id, value, old.style if old is not None and isinstance(value, tuple) else None)
    except ValueError as error:
        raise GraphError(f"param {id} of '{type}': {error}") from None
    if old is None or not old.same_value(new):
        params[id] = new


def _operand_value(match: Match, setting: Setting) -> Value:
    operand = setting.operand
    if isinstance(operand, Computed):
        return operand.value(match.params)
    if isinstance(operand, Bound):
        if operand.name not in match.params:
            raise GraphError(f"?{operand.name} has no value here, for its layer is missing")
        return match.params[operand.name]
    assert operand is not None
    return operand.values[0]


def _shape_hint(match: Match, outputs: tuple[Wire, ...]) -> Param | None:
    """The shape hint of the matched layer that wrote just these blobs."""
    for layer in match.layers:
        if len(layer.outputs) == len(outputs) and all(map(_is, layer.outputs, outputs)):
            return layer.params.find(SHAPE_HINTS)
    return None


def _is_there(match: Match, drafts: list[Draft]) -> bool:
    """Whether all drafts are matched layers as they are, and all of them."""
    return len(drafts) == len(match.layers) and all(
        draft.kept is not None
        and draft.type == draft.kept.type
        and _same_params(draft.params, draft.kept.params.raw)
        and len(draft.inputs) == len(draft.kept.inputs)
        and all(blob.source is wire for blob, wire in zip(draft.kept.inputs, draft.inputs, strict=True))
        and len(draft.outputs) == len(draft.kept.outputs)
        and all(map(_is, draft.kept.outputs, draft.outputs))
        for draft in drafts
    )


def _same_params(new: tuple[Param, ...], old: tuple[Param, ...]) -> bool:
    return {param.id: param.meaning for param in new} == {param.id: param.meaning for param in old}


def _drop_weights(layer: Layer) -> None:
    """Drops the arrays that a changed layer's params no longer ask for."""
    if not layer.weights:
        return
    from ncnnparam.weights.layout import wanted

    names = {array.name for array in wanted(layer)}
    for name in [name for name in layer.weights if name not in names]:
        del layer.weights[name]


def _is(one: object, other: object) -> bool:
    return one is other
