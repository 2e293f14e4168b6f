"""Stage ``report``: all that was made and found, as data and as a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.files import Files, pair_roles
from ncnnparam.pipeline.key import tool_version
from ncnnparam.pipeline.links import link
from ncnnparam.pipeline.stage import Facts, Job, Result, Stage
from ncnnparam.speech.nets import NETS

if TYPE_CHECKING:
    from ncnnparam.pipeline import report as form

_STAGES = (
    "source",
    "trace",
    "tokens",
    "convert",
    "repair",
    "prove",
    "inject",
    "calibrate",
    "quantize",
    "assemble",
    "check",
    "verify",
)
_FORMS = ("fp32", "fp16", "int8")
_LINES = 400
"""The most lines of a diff."""
_Fact = TypeVar("_Fact")


class Report(Stage):
    """Writes ``report.json`` and ``report.html`` into the output folder."""

    name = "report"
    tools = ("torch", "pnnx", "ncnn", "sherpa-ncnn")
    modules = (("jinja2", "quantize"),)

    def settings(self, model: Model) -> Any:
        """What is said of the model itself."""
        return {"name": model.name, "folder": str(model.output.folder)}

    def reads(self, model: Model, files: Files) -> Iterable[str]:
        """The graphs that are compared."""
        for part in NETS:
            if files.has_pair(part, "int8"):
                yield from (pair_roles(part, form)[0] for form in ("fp16", "int8"))

    def looks_at(self) -> Iterable[str]:
        """All stages."""
        return _STAGES

    def run(self, job: Job) -> Result:
        """Puts together what the stages told, and writes it."""
        from ncnnparam.pipeline.report import write_report

        result = Result()
        for path in write_report(_report(job), job.folder):
            result.files[path.name] = job.model.output.folder / path.name
            link(path, result.files[path.name])
        return result


def _report(job: Job) -> form.Report:
    from ncnnparam.pipeline import report as form

    facts: Mapping[str, Facts] = {stage: job.facts.get(stage, {}) for stage in _STAGES}
    inject, verify = facts["inject"], facts["verify"]
    return form.Report(
        job.model.name,
        kind=inject.get("kind", ""),
        target=facts["repair"].get("target", ""),
        tools={name: tool_version(name) for name in ("ncnnparam", *Report.tools)},
        stages=tuple(_stages(job)),
        problems=tuple(problem for one in facts.values() for problem in one.get("problems", ())),
        sizes=tuple(_sizes(job.files)),
        counts=tuple(_counts(facts)),
        repairs=tuple(_repairs(facts["repair"])),
        proofs=_made(form.Proof, facts["prove"].get("proofs", [])),
        metadata=inject.get("line", ""),
        changes=tuple(_changes(job.files)),
        layers=_made(form.LayerError, verify.get("layers", [])),
        histograms=_made(form.Histogram, facts["calibrate"].get("histograms", [])),
        utterances=_made(form.Utterance, verify.get("utterances", [])),
        word_errors=_made(form.ErrorRate, verify.get("word_errors", [])),
        speeds=_made(form.Speed, verify.get("speeds", [])),
        commands=tuple(
            form.Command(what, line) for what, line in facts["assemble"].get("commands", {}).items()
        ),
    )


def _made(kind: type[_Fact], rows: list[dict[str, Any]]) -> tuple[_Fact, ...]:
    """Facts of the report from those of a stage."""
    import msgspec

    return tuple(msgspec.convert(row, kind) for row in rows)


def _stages(job: Job) -> Iterator[form.Stage]:
    from ncnnparam.pipeline.report import Stage as StageFacts
    from ncnnparam.pipeline.stages import stage_named

    for name in _STAGES:
        if name in job.facts:
            yield StageFacts(name, "run", job.facts[name]["seconds"])
        else:
            yield StageFacts(name, "skipped", note=stage_named(name).unwanted(job.model))


def _sizes(files: Files) -> Iterator[form.FileSize]:
    from ncnnparam.pipeline.report import FileSize

    for part in NETS:
        roles = {"pt": f"{part}.pt", **{form: pair_roles(part, form)[1] for form in _FORMS}}
        for form, role in roles.items():
            if role in files:
                path = files[role].path
                yield FileSize(part, form, path.stat().st_size, path.name)


def _counts(facts: Mapping[str, Facts]) -> Iterator[form.Counts]:
    """Layers and blobs before the repair, and at the end."""
    from ncnnparam.pipeline.report import Counts

    before, after = facts["convert"].get("nets", {}), dict(facts["repair"].get("nets", {}))
    if facts["inject"]:
        after["encoder"] = facts["inject"]
    for part, net in after.items():
        one, two = before[part], net
        yield Counts(part, (one["layers"], one["blobs"]), (two["layers"], two["blobs"]))


def _repairs(facts: Facts) -> Iterator[form.Repair]:
    from ncnnparam.pipeline.report import Repair

    for part, net in facts.get("nets", {}).items():
        names = [change["repair"] for change in net["changes"]]
        first = {change["repair"]: change["message"] for change in reversed(net["changes"])}
        for name in dict.fromkeys(names):
            yield Repair(part, name, names.count(name), first[name])


def _changes(files: Files) -> Iterator[form.Change]:
    """What int8 changed in the graphs."""
    from ncnnparam.diff import compare
    from ncnnparam.diff.text import record_lines, summary
    from ncnnparam.model import load
    from ncnnparam.pipeline.report import Change

    for part in NETS:
        if files.has_pair(part, "int8"):
            old, new = (load(files[pair_roles(part, form)[0]].path).graph for form in ("fp16", "int8"))
            diff = compare(old, new)
            yield Change(part, "fp16", "int8", summary(diff), tuple(record_lines(diff)[:_LINES]))
