"""``report.html``: a report as one page that stands alone, what matters most first."""

from __future__ import annotations

from collections.abc import Iterator

from ncnnparam.pipeline.report.html_accuracy import accuracy_parts
from ncnnparam.pipeline.report.html_graphs import graph_parts, proof_verdict
from ncnnparam.pipeline.report.html_speech import speech_parts, speech_verdict
from ncnnparam.pipeline.report.report import Report
from ncnnparam.views.charts import grouped_bars, horizontal_bars
from ncnnparam.views.page import Cell, Chart, Code, Facts, Mark, Part, Section, Table, Text, page
from ncnnparam.views.units import short_bytes


def to_html(report: Report) -> str:
    """The text of a ``report.html``.

    Raises:
        NcnnParamError: The package jinja2 is not installed.
    """
    parts: dict[str, list[Part]] = {
        "Result": list(_result(report)),
        "What it hears": list(speech_parts(report)),
        "File sizes": list(_sizes(report)),
        "int8, layer by layer": list(accuracy_parts(report)),
        "Graphs": list(graph_parts(report)),
        "Stages": list(_stages(report)),
        "To use it": [Code(command.line, caption=command.what) for command in report.commands],
    }
    sections = [Section(heading, found) for heading, found in parts.items() if found]
    told = [report.kind, f"for {report.target}" if report.target else ""]
    return page(report.model, sections, subtitle=" ".join(filter(None, told)))


def _result(report: Report) -> Iterator[Part]:
    verdicts = [*speech_verdict(report), *proof_verdict(report)]
    yield from (Text(problem, tone="bad") for problem in report.problems)
    yield from (Text(verdict) for verdict in verdicts)
    facts: dict[str, Cell] = dict(report.tools)
    if report.metadata:
        facts["metadata"] = report.metadata
    if facts:
        yield Facts(facts)


def _sizes(report: Report) -> Iterator[Part]:
    if not report.sizes:
        return
    forms = list(dict.fromkeys(size.form for size in report.sizes))
    nets = list(dict.fromkeys(size.net for size in report.sizes))
    found = {(size.net, size.form): size.bytes for size in report.sizes}
    rows: list[list[Cell]] = [
        [net, *(short_bytes(found[net, form]) if (net, form) in found else None for form in forms)]
        for net in nets
    ]
    yield Table(["net", *forms], rows, right=forms)
    series = {form: [found.get((net, form), float("nan")) for net in nets] for form in forms}
    yield Chart(grouped_bars("File sizes", nets, series, show=lambda size: short_bytes(round(size))))


def _stages(report: Report) -> Iterator[Part]:
    if not report.stages:
        return
    rows: list[list[Cell]] = [
        [
            stage.name,
            stage.status if stage.status == "run" else Mark(stage.status, "quiet"),
            None if stage.seconds is None else f"{stage.seconds:.2f}",
            stage.note,
        ]
        for stage in report.stages
    ]
    timed = [stage for stage in report.stages if stage.seconds is not None]
    yield Text(f"{report.seconds:.1f} s in all.")
    yield Table(["stage", "state", "seconds", "note"], rows, right=["seconds"])
    yield Chart(
        horizontal_bars(
            "Seconds by stage",
            [stage.name for stage in timed],
            [stage.seconds or 0.0 for stage in timed],
            unit="s",
        )
    )
