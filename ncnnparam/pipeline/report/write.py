"""Puts a report into a folder."""

from __future__ import annotations

import os
from pathlib import Path

from ncnnparam.pipeline.report.form import to_json
from ncnnparam.pipeline.report.html import to_html
from ncnnparam.pipeline.report.report import Report
from ncnnparam.syntax.files import write_atomic

JSON = "report.json"
HTML = "report.html"


def write_report(report: Report, folder: str | os.PathLike[str]) -> tuple[Path, Path]:
    """Writes ``report.json`` and ``report.html``, each of them whole or not at all.

    Returns:
        The two files.

    Raises:
        FileError: One cannot be written.
        NcnnParamError: A package is not installed.
    """
    texts = {JSON: to_json(report), HTML: to_html(report)}
    for name, text in texts.items():
        write_atomic(Path(folder, name), text)
    return Path(folder, JSON), Path(folder, HTML)
