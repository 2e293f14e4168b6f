"""Speech encoders from icefall and the metadata that sherpa-ncnn needs of them.

Flags keep the values they had in the export (``flags``, ``given``; ``config`` reads them from files).
``Metadata`` holds them typed, ``infer`` reads them off a graph, ``verify`` compares both, and ``inject``
writes the layer.
"""

from ncnnparam.speech.config import find_config, read_config
from ncnnparam.speech.evidence import Fact, Inference
from ncnnparam.speech.flags import CONV_EMFORMER, KINDS, LSTM, ZIPFORMER, Field, Kind, named_kind
from ncnnparam.speech.given import Flags, Given, Resolved, collect, resolve
from ncnnparam.speech.infer import infer
from ncnnparam.speech.inject import Action, Injection, inject, metadata_layers
from ncnnparam.speech.metadata import (
    ConvEmformer,
    Lstm,
    Metadata,
    Zipformer,
    from_layer,
    from_params,
    of_kind,
)
from ncnnparam.speech.verify import Contradiction, verify

__all__ = [
    "CONV_EMFORMER",
    "KINDS",
    "LSTM",
    "ZIPFORMER",
    "Action",
    "Contradiction",
    "ConvEmformer",
    "Fact",
    "Field",
    "Flags",
    "Given",
    "Inference",
    "Injection",
    "Kind",
    "Lstm",
    "Metadata",
    "Resolved",
    "Zipformer",
    "collect",
    "find_config",
    "from_layer",
    "from_params",
    "infer",
    "inject",
    "metadata_layers",
    "named_kind",
    "of_kind",
    "read_config",
    "resolve",
    "verify",
]
