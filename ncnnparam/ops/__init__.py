"""What layer types mean: their params, their arity, their weights, kept as data.

``registry`` answers questions about layer types. Start reading at ``layer_type.py``; a ``LayerType`` is made
of ``params.py`` and ``arrays.py`` and computes with ``formula.py``. ``declare.py`` makes it from a table:
``types/*.json`` hold ncnn's own types by subject, ``types/sherpa.json`` those that sherpa-ncnn adds, and
``types/common.json`` what a param of some name means wherever a row does not say otherwise. ``custom.py``
reads the tables of users.
"""

from ncnnparam.ops.arrays import WeightArray, WeightSpec
from ncnnparam.ops.layer_type import Arity, LayerType
from ncnnparam.ops.params import ParamSpec, Violation
from ncnnparam.ops.registry import get, load_ops, names, register, suggest

__all__ = [
    "Arity",
    "LayerType",
    "ParamSpec",
    "Violation",
    "WeightArray",
    "WeightSpec",
    "get",
    "load_ops",
    "names",
    "register",
    "suggest",
]
