"""The stages, in their order."""

from ncnnparam.pipeline.stages.order import STAGES, stage_named

__all__ = ["STAGES", "stage_named"]
