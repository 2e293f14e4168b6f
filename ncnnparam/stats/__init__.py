"""What a model weighs and costs: parameters, bytes, multiply-accumulates, activations.

``parameters`` looks at weights, ``shapes`` says which blobs have which size, ``cost`` computes with both the
params and the sizes, ``tally`` adds up what may be partly unknown, and ``measure`` puts it all together.
"""

from ncnnparam.stats.measure import LayerStats, Stats, StorageStats, TypeStats, measure
from ncnnparam.stats.shapes import input_shapes, stated_shapes
from ncnnparam.stats.tally import Tally

__all__ = [
    "LayerStats",
    "Stats",
    "StorageStats",
    "Tally",
    "TypeStats",
    "input_shapes",
    "measure",
    "stated_shapes",
]
