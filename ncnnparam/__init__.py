"""Read, check, edit and compare ncnn ``.param`` files.

>>> import ncnnparam as nnp
>>> model = nnp.loads("7767517\\n2 2\\nInput in0 0 1 in0\\nReLU relu 1 1 in0 out0\\n")
>>> model.graph.layer("relu")["slope"] = 0.1
>>> print(nnp.dumps(model).splitlines()[-1])
ReLU                     relu                     1 1 in0 out0 0=0.1
"""

from ncnnparam.errors import (
    ConfigError,
    FileError,
    GraphError,
    MetadataError,
    NcnnParamError,
    NotFoundError,
    ParseError,
    WeightsError,
)
from ncnnparam.graph import Blob, Graph, Layer
from ncnnparam.model import Model, dump, dumps, load, loads, save
from ncnnparam.syntax import Dialect, Param

__version__ = "0.1.0"

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
    "Param",
    "ParseError",
    "WeightsError",
    "dump",
    "dumps",
    "load",
    "loads",
    "save",
]
