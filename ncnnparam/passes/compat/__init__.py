"""Lowering: what makes a model one that an older runtime, or one built without some types, can run."""

from ncnnparam.passes.base import Pass
from ncnnparam.passes.compat.activations import LowerActivations
from ncnnparam.passes.compat.age import RenewAxes
from ncnnparam.passes.compat.batch import LowerBatchAxes
from ncnnparam.passes.compat.lower import Lower
from ncnnparam.passes.compat.names import RenewNames
from ncnnparam.passes.compat.spelling import LowerSpelling, Spell
from ncnnparam.passes.compat.storage import LowerStorage
from ncnnparam.passes.compat.types import LowerTypes
from ncnnparam.passes.compat.vectors import LowerVectors

PASSES: tuple[type[Pass], ...] = (
    Lower,
    RenewNames,
    RenewAxes,
    LowerBatchAxes,
    LowerTypes,
    LowerActivations,
    LowerVectors,
    LowerStorage,
    LowerSpelling,
    Spell,
)
"""``Lower`` runs the others that its target needs, but for ``Spell``."""

__all__ = [
    "PASSES",
    "Lower",
    "LowerActivations",
    "LowerBatchAxes",
    "LowerSpelling",
    "LowerStorage",
    "LowerTypes",
    "LowerVectors",
    "RenewAxes",
    "RenewNames",
    "Spell",
]
