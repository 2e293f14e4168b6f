"""What a run of the pipeline made and found of one model: as data, as ``report.json`` and as a page.

``facts`` has the records and ``report`` the whole of them; ``form`` makes them json, ``html`` a page, and
``write`` puts both into a folder.
"""

from ncnnparam.pipeline.report.facts import (
    Change,
    Command,
    Counts,
    ErrorRate,
    FileSize,
    Histogram,
    LayerError,
    Proof,
    Repair,
    Speed,
    Stage,
    Utterance,
)
from ncnnparam.pipeline.report.report import VERSION, Report
from ncnnparam.pipeline.report.write import write_report

__all__ = [
    "VERSION",
    "Change",
    "Command",
    "Counts",
    "ErrorRate",
    "FileSize",
    "Histogram",
    "LayerError",
    "Proof",
    "Repair",
    "Report",
    "Speed",
    "Stage",
    "Utterance",
    "write_report",
]
