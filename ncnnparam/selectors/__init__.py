"""Choosing layers by what they are and where they stand: ``Conv*[kernel_w=3] and after(in0)``."""

from ncnnparam.selectors.parse import is_word, parse
from ncnnparam.selectors.select import select
from ncnnparam.selectors.selector import Both, Either, Not, Reach, Selector, Trait, Types, Word

__all__ = [
    "Both",
    "Either",
    "Not",
    "Reach",
    "Selector",
    "Trait",
    "Types",
    "Word",
    "is_word",
    "parse",
    "select",
]
