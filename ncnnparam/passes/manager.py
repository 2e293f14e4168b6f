"""Runs passes one after the other, checks the model after each, and keeps an account."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from ncnnparam.errors import NcnnParamError, PassError
from ncnnparam.model import Model
from ncnnparam.passes.base import Pass, PassResult

if TYPE_CHECKING:
    from ncnnparam.checks import Finding

MOST_ROUNDS = 20
"""Rounds after which a pipeline that still changes something is taken not to settle."""

Verifier: TypeAlias = Callable[[Model, Model], "str | None"]
"""Gets the model before and after a pass; returns what is wrong with the second, or None."""


@dataclass(frozen=True)
class Step:
    """One run of one pass.

    Attributes:
        name: Name of the pass.
        result: Its account.
        seconds: How long it took, without the verification.
        layers: Number of layers before and after.
    """

    name: str
    result: PassResult
    seconds: float
    layers: tuple[int, int]


@dataclass
class Report:
    """What a pipeline did.

    Attributes:
        model: The model as it is now.
        steps: Every run of every pass, in order.
    """

    model: Model
    steps: list[Step] = field(default_factory=list)

    @property
    def modified(self) -> bool:
        """Whether any pass changed the model."""
        return any(step.result.modified for step in self.steps)


class PassManager:
    """A pipeline of passes.

    Args:
        passes: What to run, in order.
        verify: After each pass that changed something, refuse a model with errors that were not there
            before, as ``checks`` finds them. A function verifies more, numbers for example
            (``runtime.compare.same_numbers``).
        until_stable: Run the whole pipeline again until no pass changes anything.
        observe: Called after each step with the step and the model.
    """

    def __init__(
        self,
        passes: Iterable[Pass],
        *,
        verify: bool | Verifier = False,
        until_stable: bool = False,
        observe: Callable[[Step, Model], None] | None = None,
    ) -> None:
        self.passes = list(passes)
        self._verifiers: list[Verifier] = []
        if verify:
            self._verifiers.append(no_new_errors)
        if callable(verify):
            self._verifiers.append(verify)
        self._until_stable = until_stable
        self._observe = observe

    def __call__(self, model: Model) -> Report:
        """Runs the pipeline on a copy of a model; the model itself stays as it is.

        Raises:
            PassError: A pass failed or broke the model, or the pipeline does not settle.
        """
        report = Report(Model(model.graph.copy(), model.path, model.file))
        for _ in range(MOST_ROUNDS):
            modified = [self._step(one, report) for one in self.passes]
            if not any(modified) or not self._until_stable:
                return report
        names = ", ".join(dict.fromkeys(step.name for step in report.steps if step.result.modified))
        raise PassError(
            f"the pipeline still changes the model after {MOST_ROUNDS} rounds: {names}",
            hint="two of these passes undo each other, or one finds its own result again",
        )

    def _step(self, one: Pass, report: Report) -> bool:
        model = report.model
        before = Model(model.graph.copy(), model.path, model.file) if self._verifiers else model
        layers = model.graph.layer_count
        start = time.perf_counter()
        try:
            result = one(model)
        except NcnnParamError as error:
            raise PassError(
                f"the pass {one.name} failed: {error.message}",
                name=one.name,
                hint=error.hint,
                code=error.code,
            ) from error
        except Exception as error:  # a pass may be anybody's code
            raise PassError(
                f"the pass {one.name} failed: {type(error).__name__}: {error}",
                name=one.name,
                hint=f"it is a fault of the pass, {_place(error)}",
            ) from error
        step = Step(one.name, result, time.perf_counter() - start, (layers, model.graph.layer_count))
        report.steps.append(step)
        if result.modified:
            for verify in self._verifiers:
                problem = verify(before, model)
                if problem is not None:
                    raise PassError(f"the pass {one.name} broke the model: {problem}", name=one.name)
        if self._observe is not None:
            self._observe(step, model)
        return result.modified


def _place(error: Exception) -> str:
    """Where an exception was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}"


def no_new_errors(before: Model, after: Model) -> str | None:
    """Says which errors of ``checks`` a model has that it did not have before, or None."""
    from ncnnparam.checks import Severity, check

    def errors(model: Model) -> list[Finding]:
        return [finding for finding in check(model.graph) if finding.severity is Severity.ERROR]

    known = {(finding.code, finding.layer) for finding in errors(before)}
    new = [finding for finding in errors(after) if (finding.code, finding.layer) not in known]
    return f"{new[0].code} {new[0].message}" if new else None
