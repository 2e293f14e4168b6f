"""``ncnnparam demo``: runs the pipeline on a recogniser, and tells what was heard and what it weighs."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncnnparam.cli.common import FOUND, emit, emit_json
from ncnnparam.cli.table import print_table
from ncnnparam.pipeline.report.write import HTML, JSON

if TYPE_CHECKING:
    from ncnnparam.pipeline.report import Report, Utterance

GOOD = 0.05
"""A word error rate from here on is not what a recogniser should have."""
_SAID = "said"
_NOTHING = "(nothing)"
_PT = {"pt": "torch"}
"""Engines whose files have another name than they."""


def show(kinds: Sequence[str], keep: str | None, as_json: bool) -> int:
    """Runs the pipeline and prints the result.

    Args:
        kinds: Which recognisers.
        keep: Folder for all files; by default only the reports are kept, in a folder for temporary files.
        as_json: Print the result as json only.

    Returns:
        The exit code.
    """
    from ncnnparam.cli.interrupt import terminable
    from ncnnparam.cli.pipeline_view import view
    from ncnnparam.pipeline.demo import demo_model, require_packages

    require_packages()
    from ncnnparam.pipeline.report.form import from_json
    from ncnnparam.pipeline.runner import Options, run

    with _folder(keep) as folder:
        models = [demo_model(kind, folder / kind) for kind in kinds]
        with view("json" if as_json else "text", several=len(models) > 1) as shown, terminable():
            run(models, Options(jobs=os.cpu_count() or 1), shown)
        places = [model.output.folder for model in models]
        if keep is None:
            places = _kept(places)
    reports = [(from_json((place / JSON).read_text(encoding="utf-8")), place / HTML) for place in places]
    good = not shown.problems and all(is_good(report) for report, _ in reports)
    if as_json:
        emit_json({"ok": good, "models": [as_data(report, page) for report, page in reports]})
    else:
        for number, (report, page) in enumerate(reports):
            emit("\n" if number else "")
            print_report(report, page)
    return 0 if good else FOUND


def is_good(report: Report) -> bool:
    """Whether each engine heard enough words right."""
    rates = [errors.rate for errors in report.word_errors]
    return bool(rates) and all(rate is not None and rate < GOOD for rate in rates)


def print_report(report: Report, page: Path) -> None:
    """Prints what was heard in each wav, and a table of word errors and sizes."""
    emit(f"{report.model}\n\n")
    print_table(("wav", "by", "text"), [row for one in report.utterances for row in _heard(one)])
    emit("\n")
    nets = list(dict.fromkeys(size.net for size in report.sizes))
    header = ("", "word error rate", "errors", "words", *nets)
    engines = dict.fromkeys([*(_PT.get(size.form, size.form) for size in report.sizes), *report.engines])
    print_table(header, [_engine(report, engine, nets) for engine in engines], right=header[1:])
    emit(f"\nthe report is {page}\n")


def as_data(report: Report, page: Path) -> dict[str, Any]:
    """The same for programs."""
    return {
        "model": report.model,
        "seconds": report.seconds,
        "report": str(page),
        "utterances": [
            {"wav": one.wav, "transcript": one.transcript, "texts": dict(one.texts)}
            for one in report.utterances
        ],
        "word_errors": [
            {"engine": one.engine, "errors": one.errors, "words": one.words, "rate": one.rate}
            for one in report.word_errors
        ],
        "sizes": [{"net": one.net, "form": one.form, "bytes": one.bytes} for one in report.sizes],
    }


def _heard(utterance: Utterance) -> Iterator[tuple[str, str, str]]:
    """A row for each text with all that heard it, what was said first."""
    by_text: dict[str, list[str]] = {}
    for who, text in {_SAID: utterance.transcript or "", **utterance.texts}.items():
        by_text.setdefault(text, []).append(who)
    for number, (text, listeners) in enumerate(by_text.items()):
        yield ("" if number else utterance.wav, ", ".join(listeners), text or _NOTHING)


def _engine(report: Report, engine: str, nets: Sequence[str]) -> list[str]:
    """Word errors of an engine, and the sizes of its files."""
    from ncnnparam.views.units import short_bytes

    errors = next((one for one in report.word_errors if one.engine == engine), None)
    rate = errors.rate if errors else None
    sizes = {size.net: size.bytes for size in report.sizes if _PT.get(size.form, size.form) == engine}
    return [
        engine,
        "" if rate is None else f"{100 * rate:.2f} %",
        str(errors.errors) if errors else "",
        str(errors.words) if errors else "",
        *(short_bytes(sizes[net]) if net in sizes else "" for net in nets),
    ]


@contextmanager
def _folder(keep: str | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="ncnnparam-demo-") as name:
            yield Path(name)
    else:
        yield Path(keep)


def _kept(models: Sequence[Path]) -> list[Path]:
    """Folders with copies of the reports, which stay when all else is thrown away."""
    folder = Path(tempfile.mkdtemp(prefix="ncnnparam-report-"))
    for model in models:
        place = folder / model.name
        place.mkdir()
        for name in (HTML, JSON):
            shutil.copyfile(model / name, place / name)
    return [folder / model.name for model in models]
