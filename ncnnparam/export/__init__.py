"""From PyTorch to a proven pair of ncnn: files fetched, modules traced and converted, numbers compared."""

from ncnnparam.export.convert import Converted, convert, pnnx_program
from ncnnparam.export.icefall import trace_icefall
from ncnnparam.export.prove import decoder_calls, encoder_calls, joiner_calls, prove
from ncnnparam.export.source import fetch
from ncnnparam.export.tokens import Tokens, read_tokens, write_tokens
from ncnnparam.export.trace import Traced, take_traced, trace_factory

__all__ = [
    "Converted",
    "Tokens",
    "Traced",
    "convert",
    "decoder_calls",
    "encoder_calls",
    "fetch",
    "joiner_calls",
    "pnnx_program",
    "prove",
    "read_tokens",
    "take_traced",
    "trace_factory",
    "trace_icefall",
    "write_tokens",
]
