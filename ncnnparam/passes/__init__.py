"""Passes: what changes a model by a rule; ``PassManager`` runs them, ``parse_pipeline`` reads pipelines."""

from ncnnparam.errors import PassError
from ncnnparam.passes.base import Note, Pass, PassResult, graph_pass
from ncnnparam.passes.manager import PassManager, Report, Step
from ncnnparam.passes.pipeline import parse_pipeline

__all__ = [
    "Note",
    "Pass",
    "PassError",
    "PassManager",
    "PassResult",
    "Report",
    "Step",
    "graph_pass",
    "parse_pipeline",
]
