"""The ``.bin`` file of a model: where each array lies, its numbers, and how it is written again.

``storage`` knows the tags and sizes, ``arrays`` one array, ``layer_weights`` those of a layer, ``layout``
where the arrays of a graph lie, ``file`` the mapped file, ``writer`` what a graph's file is made of,
``convert`` gives arrays another storage.
"""

from ncnnparam.weights.arrays import Weight, encode
from ncnnparam.weights.file import WeightFile
from ncnnparam.weights.layer_weights import LayerWeights
from ncnnparam.weights.layout import array_at, locate, wanted
from ncnnparam.weights.storage import Storage
from ncnnparam.weights.writer import in_order, is_all_of, pieces

__all__ = [
    "LayerWeights",
    "Storage",
    "Weight",
    "WeightFile",
    "array_at",
    "encode",
    "in_order",
    "is_all_of",
    "locate",
    "pieces",
    "wanted",
]
