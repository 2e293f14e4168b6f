"""The binary form of a graph, ``.param.bin``, and the C++ headers that go with it.

A ``.param.bin`` has numbers where a ``.param`` has names, and its values do not say whether they are ints
or floats. ``writer`` makes it, ``reader`` reads it with the kinds from the ops registry; ``names`` knows the
``.id.h`` that keeps the names, ``header`` the ``.mem.h`` that holds a model as arrays of C++. ``words`` has
what both directions share. The tool of ncnn's that makes these files is ncnn2mem.
"""

from ncnnparam.binparam.header import mem_header
from ncnnparam.binparam.names import IdNames, clashes, id_header, read_id_header, sanitized
from ncnnparam.binparam.reader import Guess, Reading, loads, read
from ncnnparam.binparam.words import MAGIC, BinParamError
from ncnnparam.binparam.writer import dumps

__all__ = [
    "MAGIC",
    "BinParamError",
    "Guess",
    "IdNames",
    "Reading",
    "clashes",
    "dumps",
    "id_header",
    "loads",
    "mem_header",
    "read",
    "read_id_header",
    "sanitized",
]
