"""The stages, in their order."""

from __future__ import annotations

from ncnnparam.pipeline.stage import Stage
from ncnnparam.pipeline.stages.assemble import Assemble
from ncnnparam.pipeline.stages.calibrate import Calibrate
from ncnnparam.pipeline.stages.check import Check
from ncnnparam.pipeline.stages.convert import Convert
from ncnnparam.pipeline.stages.inject import Inject
from ncnnparam.pipeline.stages.prove import Prove
from ncnnparam.pipeline.stages.quantize import Quantize
from ncnnparam.pipeline.stages.repair import Repair
from ncnnparam.pipeline.stages.report import Report
from ncnnparam.pipeline.stages.source import Source
from ncnnparam.pipeline.stages.tokens import Tokens
from ncnnparam.pipeline.stages.trace import Trace
from ncnnparam.pipeline.stages.verify import Verify

STAGES: tuple[Stage, ...] = (
    Source(),
    Trace(),
    Tokens(),
    Convert(),
    Repair(),
    Prove(),
    Inject(),
    Calibrate(),
    Quantize(),
    Assemble(),
    Check(),
    Verify(),
    Report(),
)


def stage_named(name: str) -> Stage:
    """The stage of a name, which there is."""
    return next(stage for stage in STAGES if stage.name == name)
