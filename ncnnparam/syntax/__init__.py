"""Text of ``.param`` files: grammar, syntax tree, reading and writing.

Stages, in the order of the way: ``read_text`` -> ``parse`` -> a tree -> ``unparse`` -> ``write_atomic``.
"""

from ncnnparam.syntax.files import MAX_SIZE, Source, read_text, source_name, write_atomic, write_stdout
from ncnnparam.syntax.pair import finish_pair, write_pair
from ncnnparam.syntax.params import parse_params
from ncnnparam.syntax.parser import MAX_COUNT, Dialect, parse, unparse
from ncnnparam.syntax.tree import Diagnostic, Header, LayerLine, ParamFile, Span, Word
from ncnnparam.syntax.values import Param, Scalar, Style, Value, spell

__all__ = [
    "MAX_COUNT",
    "MAX_SIZE",
    "Diagnostic",
    "Dialect",
    "Header",
    "LayerLine",
    "Param",
    "ParamFile",
    "Scalar",
    "Source",
    "Span",
    "Style",
    "Value",
    "Word",
    "finish_pair",
    "parse",
    "parse_params",
    "read_text",
    "source_name",
    "spell",
    "unparse",
    "write_atomic",
    "write_pair",
    "write_stdout",
]
