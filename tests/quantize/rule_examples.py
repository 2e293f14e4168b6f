"""A table that breaks each rule, with the graph it is for, as the rules' pages show it."""

from __future__ import annotations

MODEL = """7767517
4 4
Input         in0    0 1 in0 0=8 1=8 2=2
Convolution   conv   1 1 in0 a 0=2 1=3 5=1 6=36
LSTM          lstm   1 1 a b 0=2 1=48
InnerProduct  fc     1 1 b out0 0=3 2=36
"""
_ROWS = (
    "conv_param_0 12.500000 14.250000",
    "fc_param_0 40.000000 41.000000 42.000000",
    "conv 30.500000",
    "fc 10.000000",
    "lstm_param_0 1.0 1.0 1.0 1.0 1.0 1.0 1.0 1.0",
    "lstm_param_1 2.0 2.0 2.0 2.0 2.0 2.0 2.0 2.0",
)
GOOD = "".join(f"{row} \n" for row in _ROWS)
"""With a blank behind each row, as the C++ tools write it."""

EXAMPLES = {
    "NP701": GOOD.replace("conv 30", "\nconv 30"),
    "NP702": GOOD.replace("41.000000", "0x1p5"),
    "NP703": GOOD.replace("fc 10.000000", "fc"),
    "NP704": GOOD + "fc 12.000000 \n",
    "NP705": GOOD.replace("fc 10", "fc2 3.000000 \nfc 10"),
    "NP706": GOOD.replace(" 41.000000", ""),
    "NP707": GOOD.replace("41.000000", "inf"),
    "NP708": GOOD.replace("conv 30.500000", "conv inf"),
    "NP709": GOOD.replace("conv_param_0 12.500000 14.250000 \n", ""),
    "NP710": GOOD.replace("conv 30.500000 \n", ""),
    "NP711": "".join(line for line in GOOD.splitlines(keepends=True) if not line.startswith("lstm")),
}
"""By code: the text of model.table."""

CUSTOM = """7767517
3 3
Input           in0  0 1 in0 0=4 1=3
SimpleUpsample  up   1 1 in0 a 0=2 1=4 2=8
Flip            f    1 1 a out0 -23300=1,0
"""
"""A graph that breaks both rules about what the C++ tool loses."""
