"""Read, check, edit and compare ncnn ``.param`` files.

>>> import ncnnparam as nnp
>>> model = nnp.loads("7767517\\n2 2\\nInput in0 0 1 in0\\nReLU relu 1 1 in0 out0\\n")
>>> model.graph.layer("relu")["slope"] = 0.1
>>> print(nnp.dumps(model).splitlines()[-1])
ReLU                     relu                     1 1 in0 out0 0=0.1
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import (
    ConfigError,
    FileError,
    GraphError,
    MetadataError,
    NcnnParamError,
    NotFoundError,
    OpsError,
    ParseError,
    PassError,
    WeightsError,
)
from ncnnparam.graph import Blob, Graph, Layer
from ncnnparam.model import Model, dump, dumps, load, loads, save
from ncnnparam.syntax import Dialect, Param

if TYPE_CHECKING:
    from ncnnparam import checks, diff, ops, passes, patterns, selectors, stats, weights
    from ncnnparam.passes import graph_pass

__version__ = "0.1.0"

_LAZY = ("checks", "diff", "ops", "passes", "patterns", "selectors", "stats", "weights")


def __getattr__(name: str) -> Any:
    """Imports a part of the package when it is first asked for: ``nnp.passes``, ``nnp.graph_pass``."""
    if name in _LAZY:
        return import_module(f"ncnnparam.{name}")
    if name == "graph_pass":
        return import_module("ncnnparam.passes").graph_pass
    raise AttributeError(f"module 'ncnnparam' has no attribute '{name}'")


__all__ = [
    "Blob",
    "ConfigError",
    "Dialect",
    "FileError",
    "Graph",
    "GraphError",
    "Layer",
    "MetadataError",
    "Model",
    "NcnnParamError",
    "NotFoundError",
    "OpsError",
    "Param",
    "ParseError",
    "PassError",
    "WeightsError",
    "checks",
    "diff",
    "dump",
    "dumps",
    "graph_pass",
    "load",
    "loads",
    "ops",
    "passes",
    "patterns",
    "save",
    "selectors",
    "stats",
    "weights",
]
