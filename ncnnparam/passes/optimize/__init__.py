"""What ncnnoptimize does, and more: passes that keep the numbers and make a graph smaller or faster.

``docs/optimize.md`` says which pass stands for which of ncnnoptimize's.
"""

from ncnnparam.passes.base import Pass
from ncnnparam.passes.optimize import (
    eliminate_dead,
    eliminate_duplicates,
    eliminate_layers,
    eliminate_reshapes,
    eliminate_splits,
    fuse_activation,
    fuse_binaryop,
    fuse_constant,
    fuse_normalization,
    replace_layers,
)

PASSES: tuple[type[Pass] | Pass, ...] = (
    *eliminate_layers.PASSES,
    *eliminate_splits.PASSES,
    *replace_layers.PASSES,
    *fuse_normalization.PASSES,
    *fuse_constant.PASSES,
    *fuse_activation.PASSES,
    *fuse_binaryop.PASSES,
    *eliminate_reshapes.PASSES,
    *eliminate_dead.PASSES,
    *eliminate_duplicates.PASSES,
)
"""In the order in which they are run."""

__all__ = ["PASSES"]
