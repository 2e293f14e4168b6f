"""Repairs of what pnnx writes: layers that ncnn does not know, and axes that it counted wrongly."""

from ncnnparam.passes.pnnx.account import (
    APART,
    NCNN,
    PASSES,
    SHERPA,
    SHERPA_PASSES,
    Account,
    named_target,
    repair,
)
from ncnnparam.passes.pnnx.base import Repair, beside
from ncnnparam.passes.pnnx.text import PnnxGraph, parse_pnnx, read_pnnx

__all__ = [
    "APART",
    "NCNN",
    "PASSES",
    "SHERPA",
    "SHERPA_PASSES",
    "Account",
    "PnnxGraph",
    "Repair",
    "beside",
    "named_target",
    "parse_pnnx",
    "read_pnnx",
    "repair",
]
