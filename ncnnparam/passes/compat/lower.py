"""All that a runtime needs, in one pass."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ncnnparam.checks import Severity
from ncnnparam.checks.rules.target import TARGET_RULES
from ncnnparam.checks.rules.target_graph import target_type
from ncnnparam.ops import registry
from ncnnparam.ops.versions import LATEST, type_since
from ncnnparam.passes.base import Note, Pass, PassResult
from ncnnparam.passes.compat.activations import LowerActivations
from ncnnparam.passes.compat.age import RenewAxes
from ncnnparam.passes.compat.base import TargetPass, has
from ncnnparam.passes.compat.batch import LowerBatchAxes
from ncnnparam.passes.compat.names import RenewNames
from ncnnparam.passes.compat.spelling import LowerSpelling
from ncnnparam.passes.compat.storage import LowerStorage
from ncnnparam.passes.compat.types import LowerTypes, all_equivalents
from ncnnparam.passes.compat.vectors import LowerVectors

if TYPE_CHECKING:
    from ncnnparam.graph import Graph
    from ncnnparam.model import Model


class Lower(TargetPass):
    """Makes a model one that the target runs: its types, params, weights and spellings.

    Args:
        target: The runtime.
        storage: See ``LowerStorage``.
    """

    name = "lower"

    def __init__(self, target: str = LATEST, storage: str = "fp32") -> None:
        super().__init__(target)
        axes = RenewAxes(target)
        self._first: list[Pass] = [RenewNames(), axes, LowerBatchAxes(target)]
        self._in_turn: list[Pass] = [LowerTypes(target), LowerActivations(target)]
        self._last: list[Pass] = [LowerVectors(target), LowerStorage(target, storage), LowerSpelling(target)]
        if not axes.as_today:  # until then all axes are counted as today, those of new layers too
            self._first.remove(axes)
            self._last.insert(0, axes)

    def run(self, model: Model) -> PassResult:
        """Lowers what can be lowered, and tells what the target still lacks."""
        result, declined = PassResult(), list[Note]()
        for one in self._first:
            declined += self._run(one, model, result)
        turn: list[Note] = []
        changes = -1
        while changes != len(
            result.changes
        ):  # an activation that was taken out may be a type that is lacking
            changes = len(result.changes)
            turn = [note for one in self._in_turn for note in self._run(one, model, result)]
        for one in self._last:
            declined += self._run(one, model, result)
        reasons = {name: note.message for note in turn for name in note.layers}
        declined += self._lacking(model.graph, reasons)
        known = {name for note in declined for name in note.layers}
        result.declined = [*declined, *self._misread(model.graph, known)]
        return result

    def _run(self, one: Pass, model: Model, result: PassResult) -> list[Note]:
        part = one(model)
        result.changes += part.changes
        result.modified = result.modified or part.modified
        return part.declined

    def _lacking(self, graph: Graph, reasons: dict[str, str]) -> Iterable[Note]:
        """The layers of types that the target lacks, by type and reason."""
        found: dict[tuple[str, str], list[str]] = {}
        for layer in graph:
            known = registry.get(layer.type)
            if self.target.has_type(layer.type) or (known is not None and known.custom):
                continue
            reason = reasons.get(layer.name) or self._why_none(layer.type)
            found.setdefault((layer.type, reason), []).append(layer.name)
        for (type, reason), names in found.items():
            yield Note(tuple(names), f"{self.target} has no {type}: {reason}")

    def _why_none(self, type: str) -> str:
        if registry.get(type) is None:
            return "nor has ncnn; if the program registers it, declare it (--ops)"
        since = type_since(type)
        came = f" (ncnn has it since {since})" if since is not None and since > self.target.release else ""
        needs = [one.needs for one in all_equivalents().get(type, ())]
        if not any(all(has(self.target, need) for need in each) for each in needs):
            return f"nothing that it has does the same{came}"
        return f"what it has instead does not do what these params say{came}"

    def _misread(self, graph: Graph, known: set[str]) -> Iterable[Note]:
        """What else the rules about the target find."""
        for one in TARGET_RULES:
            if one is target_type:
                continue
            for finding in one.on(self.target).check(graph):
                if finding.severity is Severity.ERROR and finding.layer not in known:
                    names = () if finding.layer is None else (finding.layer,)
                    hint = f" ({finding.hint})" if finding.hint else ""
                    yield Note(names, f"{finding.message}{hint}")
