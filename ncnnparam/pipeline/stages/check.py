"""Stage ``check``: every pair is looked at with all rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import NcnnParamError
from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.files import Files, Pair, all_pairs, pair_roles
from ncnnparam.pipeline.stage import Job, Result, Stage

if TYPE_CHECKING:
    from ncnnparam.checks import Finding
    from ncnnparam.ops.versions import Target

STORAGES = ("fp32", "fp16", "int8")


class Check(Stage):
    """Checks graphs and weights, also for the runtime that shall run them."""

    name = "check"

    def settings(self, model: Model) -> Any:
        """The runtime."""
        return {"target": model.repair.target}

    def reads(self, model: Model, files: Files) -> Iterable[str]:
        """All pairs."""
        for part, storage in _pairs(files):
            yield from pair_roles(part, storage)

    def run(self, job: Job) -> Result:
        """Checks each pair; an error ends the run, a warning is told."""
        from ncnnparam.checks import Severity
        from ncnnparam.checks.report import Checked, as_text
        from ncnnparam.passes.pnnx import named_target

        target, result = named_target(job.model.repair.target), Result()
        result.facts = {"target": str(target), "pairs": {}}
        for part, storage in _pairs(job.files):
            pair = job.files.pair(part, storage)
            found = [one for one in findings(pair, target) if one.severity is not Severity.INFO]
            errors = [one for one in found if one.severity is Severity.ERROR]
            if errors:
                text = as_text([Checked(pair.param, errors)]).rstrip()
                raise NcnnParamError(f"the {storage} {part} has errors:\n{text}")
            result.facts["pairs"][f"{part}.{storage}"] = [
                {"code": one.code, "severity": one.severity.value, "message": one.message} for one in found
            ]
            result.problems += [f"{storage} {part}: {one.code} {one.message}" for one in found]
        return result


def findings(pair: Pair, target: Target) -> list[Finding]:
    """What all rules find in a graph and its weights."""
    from ncnnparam.checks import RULES, check
    from ncnnparam.checks.pairs import PAIR_RULES, Misfit
    from ncnnparam.checks.pairs import Pair as Checkable
    from ncnnparam.checks.rules.target import concerning, target_rules
    from ncnnparam.model import load
    from ncnnparam.speech.rules import RULES as SPEECH_RULES
    from ncnnparam.weights import WeightFile

    graph = load(pair.param).graph
    checkable = Checkable(graph, WeightFile.open(pair.bin))
    if checkable.misfit is Misfit.NONE:  # rules about a target look at how the layers' arrays are stored
        checkable.file.attach(graph)
    rules = [*RULES, *SPEECH_RULES, *target_rules(target), *(one.on(checkable) for one in PAIR_RULES)]
    return check(graph, rules=concerning(rules, target))


def _pairs(files: Files) -> Iterator[tuple[str, str]]:
    return (pair for pair in all_pairs(STORAGES) if files.has_pair(*pair))
