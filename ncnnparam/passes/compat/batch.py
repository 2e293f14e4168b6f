"""Batch axes of Reshape, for runtimes that do not read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.checks.rules.target_rule import FINE
from ncnnparam.passes.base import PassResult
from ncnnparam.passes.compat.base import TargetPass
from ncnnparam.passes.pnnx.batch import INPUT_AXIS, OUTPUT_AXIS, ExplicitBatch

if TYPE_CHECKING:
    from ncnnparam.model import Model


class LowerBatchAxes(TargetPass):
    """Turns the batch axes of Reshape (12 and 13) into Reshape and Permute where the target ignores them."""

    name = "lower-batch-axes"

    def run(self, model: Model) -> PassResult:
        """Does as ``pnnx-explicit-batch`` does."""
        if all(self.target.param("Reshape", id) in FINE for id in (INPUT_AXIS, OUTPUT_AXIS)):
            return PassResult()
        return ExplicitBatch().run(model)
