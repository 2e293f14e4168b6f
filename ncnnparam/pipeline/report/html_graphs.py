"""The part of the page about graphs: what was mended, the proof by numbers, and what quantisation changed."""

from __future__ import annotations

from collections.abc import Iterator

from ncnnparam.pipeline.report.facts import Proof
from ncnnparam.pipeline.report.report import Report
from ncnnparam.views.page import Cell, Code, Details, Mark, Part, Table


def proof_verdict(report: Report) -> Iterator[str]:
    """What is to be said first about the proof, in a sentence."""
    if not report.proofs:
        return
    failed = [proof for proof in report.proofs if not proof.holds]
    if failed:
        yield f"{len(failed)} of {len(report.proofs)} runs of mended nets do not give the numbers of PyTorch."
        return
    worst = {
        proof.form: max(_error(one) for one in report.proofs if one.form == proof.form)
        for proof in report.proofs
    }
    told = ", ".join(f"{error:.1e} in {form}" for form, error in worst.items())
    yield f"All {len(report.proofs)} runs of mended nets give the numbers of PyTorch, to {told}."


def graph_parts(report: Report) -> Iterator[Part]:
    """Tables of counts, repairs and proofs, and the diffs."""
    if report.counts:
        header = ["net", "layers by pnnx", "layers now", "blobs by pnnx", "blobs now"]
        rows: list[list[Cell]] = [
            [one.net, one.before[0], one.after[0], one.before[1], one.after[1]] for one in report.counts
        ]
        yield Table(header, rows, right=header[1:])
    if report.repairs:
        rows = [[one.net, one.repair, one.places, one.first] for one in report.repairs]
        yield Table(
            ["net", "repair", "places", "first place"], rows, right=["places"], caption="What was mended"
        )
    if report.proofs:
        table = Table(
            ["net", "weights", "call", "outputs", "largest difference", "allowed"],
            [_proof_row(proof) for proof in report.proofs],
            right=["outputs", "largest difference", "allowed"],
        )
        failed = any(not proof.holds for proof in report.proofs)
        yield Details("The numbers beside those of PyTorch", [table], open=failed)
    for change in report.changes:
        head = f"{change.net}, {change.old} to {change.new}: {change.summary}"
        if change.lines:
            yield Details(head, [Code("\n".join(change.lines), diff=True)])


def _proof_row(proof: Proof) -> list[Cell]:
    shown = "not comparable" if proof.error is None else f"{proof.error:.1e}"
    error: Cell = shown if proof.holds else Mark(shown, "bad")
    return [proof.net, proof.form, proof.call, proof.outputs, error, f"{proof.limit:.0e}"]


def _error(proof: Proof) -> float:
    return float("inf") if proof.error is None else proof.error
