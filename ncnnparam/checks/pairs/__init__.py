"""Checks of a ``.param`` together with its ``.bin``: does the file of weights fit the graph, and if not, why.

``reading`` reads the file as ncnn does, ``pair`` says how it does not fit, ``causes`` why that may be, and
``rules`` report it; ``contents`` looks at the numbers, ``content_rules`` report what is wrong with them.
"""

from ncnnparam.checks.pairs.content_rules import CONTENT_RULES
from ncnnparam.checks.pairs.pair import Misfit, Pair, PairRule
from ncnnparam.checks.pairs.rules import FIT_RULES

PAIR_RULES = (*FIT_RULES, *CONTENT_RULES)

__all__ = ["CONTENT_RULES", "FIT_RULES", "PAIR_RULES", "Misfit", "Pair", "PairRule"]
