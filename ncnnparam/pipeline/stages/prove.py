"""Stage ``prove``: the numbers of the mended nets beside those of PyTorch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import NcnnParamError
from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.files import Files, pair_roles
from ncnnparam.pipeline.stage import Job, Result, Stage

if TYPE_CHECKING:
    from ncnnparam.runtime.expected import Verdict


class Prove(Stage):
    """Runs the nets on ncnn and compares their numbers."""

    name = "prove"
    tools = ("ncnn", "torch")
    modules = (("ncnn", "runtime"),)
    does = "compares the numbers with PyTorch's"

    def unwanted(self, model: Model) -> str:
        """There is nothing to compare with."""
        lacks = model.trace.how == "converted" and model.prove.expected is None
        return "there are no numbers of PyTorch's: name some under [prove], expected = ..." if lacks else ""

    def settings(self, model: Model) -> Any:
        """What is compared, and how far it may be off."""
        how = model.prove
        return {"chunks": how.chunks, "tolerance": how.tolerance, "half-tolerance": how.half_tolerance}

    def reads(self, model: Model, files: Files) -> Iterable[str]:
        """The nets."""
        for storage in ("fp32", "fp16"):
            yield from pair_roles("encoder", storage)

    def sources(self, model: Model, files: Files) -> Mapping[str, Path]:
        """Numbers that are given."""
        return {} if model.prove.expected is None else {"expected": model.prove.expected}

    def run(self, job: Job) -> Result:
        """Compares each net in each storage."""
        result = Result(facts={"proofs": []})
        limits = {"fp32": job.model.prove.tolerance, "fp16": job.model.prove.half_tolerance}
        for storage, limit in limits.items():
            verdicts = _expected(job, storage)
            result.facts["proofs"] += _facts("encoder", storage, verdicts, limit)
            _require("encoder", storage, verdicts, limit)
            worst = max(verdict.error for verdict in verdicts)
            job.tell.line(f"{storage} encoder: off by {worst:.2g} at most (limit {limit:g})")
        return result


def _expected(job: Job, storage: str) -> list[Verdict]:
    """The encoder's numbers beside those of a file."""
    from ncnnparam.model import load
    from ncnnparam.runtime.expected import prove, read_calls

    assert job.model.prove.expected is not None
    pair = job.files.pair("encoder", storage)
    graph = load(pair.param).graph
    return prove(*pair, graph, read_calls(job.model.prove.expected, graph)[0])


def _facts(part: str, storage: str, verdicts: list[Verdict], limit: float) -> list[dict[str, Any]]:
    calls = dict.fromkeys(verdict.call for verdict in verdicts)
    found = []
    for call in calls:
        errors = [verdict.error for verdict in verdicts if verdict.call == call]
        error = max(errors) if max(errors) < float("inf") else None
        found.append(
            {
                "net": part,
                "form": storage,
                "call": call,
                "outputs": len(errors),
                "error": error,
                "limit": limit,
            }
        )
    return found


def _require(part: str, storage: str, verdicts: list[Verdict], limit: float) -> None:
    wrong = [verdict for verdict in verdicts if not verdict.is_within(limit)]
    if wrong:
        lines = "\n  ".join(_wrong(verdict) for verdict in wrong[:8])
        more = f"\n  and {len(wrong) - 8} more" if len(wrong) > 8 else ""
        raise NcnnParamError(
            f"{len(wrong)} of {len(verdicts)} outputs of the {storage} {part} are not what PyTorch gives:\n"
            f"  {lines}{more}",
            hint="a repair is missing or wrong: ncnnparam repair -v shows what was done; [prove] sets the "
            "tolerance",
        )


def _wrong(verdict: Verdict) -> str:
    name = f"{verdict.call}.{verdict.blob}" if verdict.call else verdict.blob
    wanted, got = ("x".join(map(str, shape)) for shape in verdict.shapes)
    return (
        f"{name} is off by {verdict.error:.2g}"
        if verdict.error < float("inf")
        else f"{name} is {got}, not {wanted}"
    )
