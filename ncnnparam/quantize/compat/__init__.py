"""What ncnn2int8 makes of a model, byte for byte, its faults included.

``scale_table`` reads a table as the C++ tool does, ``drafts`` quantises the layers, ``numbers`` rounds as
the tool does, ``model_writer`` prints the ``.param``, ``random_weights`` are for a model without a ``.bin``.
The facts are those of ncnn's ``tools/quantize/ncnn2int8.cpp`` and ``tools/modelwriter.h``.
"""

from ncnnparam.quantize.compat.drafts import Drafts
from ncnnparam.quantize.compat.ncnn2int8 import Converted, ncnn2int8

__all__ = ["Converted", "Drafts", "ncnn2int8"]
