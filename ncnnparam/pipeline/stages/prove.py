"""Stage ``prove``: the numbers of the mended nets beside those of PyTorch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import NcnnParamError
from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.files import Files, pair_roles
from ncnnparam.pipeline.metadata import require_flags, resolved_metadata
from ncnnparam.pipeline.stage import Job, Result, Stage
from ncnnparam.speech.nets import NETS

if TYPE_CHECKING:
    from ncnnparam.export.prove import Proof
    from ncnnparam.runtime.expected import Call, Verdict


class Prove(Stage):
    """Runs the nets on ncnn and compares their numbers."""

    name = "prove"
    tools = ("ncnn", "torch")
    modules = (("ncnn", "runtime"),)

    def unwanted(self, model: Model) -> str:
        """There is nothing to compare with."""
        lacks = model.trace.how == "converted" and model.prove.expected is None
        return "there are no numbers of PyTorch's: name some under [prove], expected = ..." if lacks else ""

    def check(self, model: Model) -> None:
        """Looks at the flags, from which the states follow."""
        super().check(model)
        require_flags(model)

    def imports(self, model: Model) -> Iterable[tuple[str, str]]:
        """ncnn, and PyTorch if there is TorchScript to ask."""
        return (*self.modules, *((("torch", "export"),) if model.trace.how != "converted" else ()))

    def settings(self, model: Model) -> Any:
        """What is compared, and how far it may be off."""
        how = model.prove
        told = {"chunks": how.chunks, "tolerance": how.tolerance, "half-tolerance": how.half_tolerance}
        return {**told, "kind": model.kind, "flags": {flag.name: flag.value for flag in model.flags}}

    def reads(self, model: Model, files: Files) -> Iterable[str]:
        """The nets, and their TorchScript."""
        scripted = model.trace.how != "converted"
        for part in NETS if scripted else NETS[:1]:
            for storage in ("fp32", "fp16"):
                yield from pair_roles(part, storage)
        if scripted:
            yield from ("tokens", *(f"{part}.pt" for part in NETS))

    def sources(self, model: Model, files: Files) -> Mapping[str, Path]:
        """Numbers that are given."""
        return {} if model.prove.expected is None else {"expected": model.prove.expected}

    def run(self, job: Job) -> Result:
        """Compares each net in each storage."""
        from ncnnparam.export import prove

        result = Result(facts={"proofs": []})
        limits = {"fp32": job.model.prove.tolerance, "fp16": job.model.prove.half_tolerance}
        for part, calls in _calls(job):
            for storage, limit in limits.items():
                proof = prove(*job.files.pair(part, storage), calls, tolerance=limit)
                result.facts["proofs"] += _facts(part, storage, proof)
                _require(part, storage, proof)
                worst = proof.worst.scaled_error
                job.tell.line(f"{storage} {part}: off by {worst:.2g} at most (limit {limit:g})")
        return result


def _calls(job: Job) -> Iterator[tuple[str, list[Call]]]:
    """What each net is fed, and what PyTorch gave."""
    from ncnnparam.export import decoder_calls, encoder_calls, joiner_calls, read_tokens
    from ncnnparam.model import load
    from ncnnparam.runtime.expected import read_calls
    from ncnnparam.speech.streaming import streaming

    graph = load(job.files["encoder.fp32.param"].path).graph
    if job.model.prove.expected is not None:
        yield "encoder", read_calls(job.model.prove.expected, graph)[0]
    if job.model.trace.how == "converted":
        return
    how = streaming(resolved_metadata(job.model, graph).metadata)
    scripts = {part: job.files[f"{part}.pt"].path for part in NETS}
    chunks, timeout = job.model.prove.chunks, job.model.prove.timeout
    vocabulary = read_tokens(job.files["tokens"].path).size
    yield "encoder", encoder_calls(scripts["encoder"], how, chunks=chunks, timeout=timeout)
    yield "decoder", decoder_calls(scripts["decoder"], vocabulary, timeout=timeout)
    yield "joiner", joiner_calls(scripts["joiner"], timeout=timeout)


def _facts(part: str, storage: str, proof: Proof) -> list[dict[str, Any]]:
    verdicts = proof.verdicts
    calls = dict.fromkeys(verdict.call for verdict in verdicts)
    found = []
    for call in calls:
        errors = [verdict.scaled_error for verdict in verdicts if verdict.call == call]
        error = max(errors) if max(errors) < float("inf") else None
        found.append(
            {
                "net": part,
                "form": storage,
                "call": call,
                "outputs": len(errors),
                "error": error,
                "limit": proof.tolerance,
            }
        )
    return found


def _require(part: str, storage: str, proof: Proof) -> None:
    wrong = proof.wrong
    if wrong:
        lines = "\n  ".join(_wrong(verdict) for verdict in wrong[:8])
        more = f"\n  and {len(wrong) - 8} more" if len(wrong) > 8 else ""
        raise NcnnParamError(
            f"{len(wrong)} of {len(proof.verdicts)} outputs of the {storage} {part} are not what PyTorch "
            f"gives:\n  {lines}{more}",
            hint="a repair is missing or wrong: ncnnparam repair -v shows what was done; [prove] sets the "
            "tolerance",
        )


def _wrong(verdict: Verdict) -> str:
    name = f"{verdict.call}.{verdict.blob}" if verdict.call else verdict.blob
    wanted, got = ("x".join(map(str, shape)) for shape in verdict.shapes)
    return (
        f"{name} is off by {verdict.scaled_error:.2g}"
        if verdict.error < float("inf")
        else f"{name} is {got}, not {wanted}"
    )
