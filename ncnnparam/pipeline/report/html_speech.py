"""The part of the page about speech: what each engine heard, how often it was wrong, and how fast it was."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from ncnnparam.pipeline.report.facts import Utterance
from ncnnparam.pipeline.report.report import Report
from ncnnparam.views.charts import HALF, waveform
from ncnnparam.views.page import Cell, Chart, Grid, Mark, Part, Table, Text

_SAID = "said"
"""Who says a transcript, in the column of the engines."""


def speech_verdict(report: Report) -> Iterator[str]:
    """What is to be said first, in sentences."""
    different = sum(len(set(one.texts.values())) > 1 for one in report.utterances)
    if len(report.engines) > 1:
        engines = f"{', '.join(report.engines[:-1])} and {report.engines[-1]}"
        wavs = len(report.utterances)
        yield (
            f"In {different} of {wavs} wavs {engines} do not hear the same."
            if different
            else f"In all {wavs} wavs {engines} hear the same."
        )
    rates = [f"{errors.engine} {_percent(errors.rate)}" for errors in report.word_errors]
    if rates:
        yield f"Word error rate: {', '.join(rates)}."


def speech_parts(report: Report) -> Iterator[Part]:
    """Tables of errors and texts, and the waveforms."""
    engines = dict.fromkeys(
        [*report.engines, *(one.engine for one in report.word_errors), *(one.engine for one in report.speeds)]
    )
    if report.word_errors or report.speeds:
        yield Table(
            ["engine", "word error rate", "errors", "words", "real-time factor", "threads"],
            [_engine_row(report, engine) for engine in engines],
            right=["word error rate", "errors", "words", "real-time factor", "threads"],
        )
    if report.utterances:
        rows = [row for utterance in report.utterances for row in _heard(utterance)]
        yield Text(
            "Words that are not what was said are bold, and words that are missing struck through.", "quiet"
        )
        yield Table(["wav", "by", "text"], rows)
    drawn = [
        Chart(waveform(one.wav, one.peaks, one.seconds, width=HALF), caption=one.wav)
        for one in report.utterances
        if one.peaks
    ]
    if drawn:
        yield Grid(drawn)


def _engine_row(report: Report, engine: str) -> list[Cell]:
    errors = next((one for one in report.word_errors if one.engine == engine), None)
    speed = next((one for one in report.speeds if one.engine == engine), None)
    factor = speed.real_time_factor if speed else None
    return [
        engine,
        _percent(errors.rate) if errors else None,
        errors.errors if errors else None,
        errors.words if errors else None,
        None if factor is None else f"{factor:.3f}",
        speed.threads if speed else None,
    ]


def _heard(utterance: Utterance) -> Iterator[list[Cell]]:
    """A row for each text with all that heard it, what was said first; the wav stands in the first row."""
    said = {} if utterance.transcript is None else {_SAID: utterance.transcript}
    by_text: dict[str, list[str]] = {}
    for who, text in {**said, **utterance.texts}.items():
        by_text.setdefault(text, []).append(who)
    name: Cell = [utterance.wav, Mark(f" {utterance.seconds:.1f} s", "quiet")]
    right = next(iter(by_text), "")
    for text, listeners in by_text.items():
        yield [name, ", ".join(listeners), compared(right, text)]
        name = None


def compared(right: str, text: str) -> list[str | Mark]:
    """A text in pieces: words that are right as they are, those that are wrong and those that are missing.

    Args:
        right: What it should be; upper and lower case are the same.
        text: What it is.
    """
    wanted, found = right.split(), text.split()
    matcher = SequenceMatcher(None, right.casefold().split(), text.casefold().split(), autojunk=False)
    pieces: list[str | Mark] = []
    for tag, start, end, first, last in matcher.get_opcodes():
        if tag == "equal":
            pieces.append(" ".join(found[first:last]))
            continue
        if start < end and first == last:
            pieces.append(Mark(" ".join(wanted[start:end]), "gone"))
        if first < last:
            pieces.append(Mark(" ".join(found[first:last]), "bad"))
    spaced: list[str | Mark] = []
    for piece in pieces:
        spaced += [" ", piece] if spaced else [piece]
    return spaced


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{100 * rate:.2f} %"
