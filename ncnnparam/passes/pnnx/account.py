"""Runs the repairs for a runtime and tells what they did, and what is still wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ncnnparam.ops import registry
from ncnnparam.ops.versions import LATEST, Target, target, targets
from ncnnparam.passes.base import Note
from ncnnparam.passes.manager import PassManager
from ncnnparam.passes.pnnx.batch import ExplicitBatch
from ncnnparam.passes.pnnx.casts import DropCasts
from ncnnparam.passes.pnnx.constants import FloatConstants
from ncnnparam.passes.pnnx.dynamic import DynamicReshapes
from ncnnparam.passes.pnnx.elementwise import LowerElementwise
from ncnnparam.passes.pnnx.expressions import ExpandExpressions
from ncnnparam.passes.pnnx.glu import GluAxis
from ncnnparam.passes.pnnx.matrices import DropMatrixUnsqueezes, MatrixAxes, MatrixPermutes
from ncnnparam.passes.pnnx.outputs import StackedOutputs
from ncnnparam.passes.pnnx.pooling import SherpaPooling
from ncnnparam.passes.pnnx.reshapes import LowerReshape
from ncnnparam.passes.pnnx.strided import LowerAsStrided, SherpaAsStrided
from ncnnparam.passes.pnnx.tiles import DropBroadcastTiles
from ncnnparam.passes.pnnx.unbind import LowerUnbind

if TYPE_CHECKING:
    from ncnnparam.model import Model
    from ncnnparam.passes.pnnx.base import Repair
    from ncnnparam.passes.pnnx.text import PnnxGraph

_COMMON: tuple[type[Repair], ...] = (
    DropCasts,
    ExpandExpressions,
    LowerElementwise,
    LowerUnbind,
    LowerReshape,
    ExplicitBatch,
    DropMatrixUnsqueezes,
    MatrixPermutes,
    MatrixAxes,
    GluAxis,
    StackedOutputs,
    DropBroadcastTiles,
)
PASSES: tuple[type[Repair], ...] = (*_COMMON, FloatConstants, LowerAsStrided)
"""The repairs for ncnn itself, in their order."""
SHERPA_PASSES: tuple[type[Repair], ...] = (*_COMMON, SherpaPooling, FloatConstants, SherpaAsStrided)
"""The repairs for sherpa-ncnn, which has layers of its own and lacks some of ncnn's."""
APART: tuple[type[Repair], ...] = (SherpaPooling, SherpaAsStrided, DynamicReshapes)
"""Those that only some want: what sherpa-ncnn has, and sizes that somebody must name."""
SHERPA = "sherpa-ncnn"
NCNN = "ncnn"


@dataclass
class Account:
    """What the repairs did.

    Attributes:
        model: The repaired model; the one that was given is as it was.
        changes: What was done: name of the repair, and place by place.
        left: What is still wrong.
        kept: What may be right as it is, and why it was left alone.
        weights_changed: Whether the ``.bin`` is another one now.
    """

    model: Model
    changes: list[tuple[str, Note]] = field(default_factory=list)
    left: list[Note] = field(default_factory=list)
    kept: list[Note] = field(default_factory=list)
    weights_changed: bool = False


def named_target(name: str) -> Target:
    """The runtime of a name: one of ``ops.versions``, or ``ncnn`` and ``sherpa-ncnn`` for the newest of them.

    Raises:
        ConfigError: There is none.
    """
    if name == SHERPA:
        name = [known for known in targets() if known.startswith(SHERPA)][-1]
    return target(LATEST if name == NCNN else name)


def repair(model: Model, pnnx: PnnxGraph | None, runtime: Target, *, dynamic: Iterable[int] = ()) -> Account:
    """Repairs a copy of a model for a runtime.

    Args:
        model: What pnnx wrote. With its weights more can be repaired.
        pnnx: The graph in PyTorch's terms, from the ``.pnnx.param`` beside it.
        runtime: What shall run it.
        dynamic: Sizes of Reshapes that change with the input; see ``DynamicReshapes``.

    Raises:
        PassError: A repair failed.
    """
    for_sherpa = runtime.name.startswith(SHERPA)
    passes: list[Repair] = [one(pnnx) for one in (SHERPA_PASSES if for_sherpa else PASSES)]
    sizes = frozenset(dynamic)
    if sizes:
        passes.append(DynamicReshapes(pnnx, sizes))
    report = PassManager(passes)(model)
    account = Account(report.model)
    optional = {one.name for one in passes if one.optional}
    for step in report.steps:
        account.changes += [(step.name, note) for note in step.result.changes]
        (account.kept if step.name in optional else account.left).extend(step.result.declined)
    told = {name for note in account.left for name in note.layers}
    unknown = _unknown(report.model, runtime, for_sherpa)
    account.left += [note for note in unknown if not told.intersection(note.layers)]
    account.weights_changed = _weights(model) != _weights(report.model)
    return account


def _unknown(model: Model, runtime: Target, for_sherpa: bool) -> list[Note]:
    """The layers that the runtime does not have."""
    found = []
    for layer in model.graph:
        layer_type = registry.get(layer.type)
        if runtime.has_type(layer.type):
            continue
        if layer_type is not None and layer_type.custom and (for_sherpa or layer.type not in _SHERPA_TYPES):
            continue  # the runtime's own, or one that the user has declared
        found.append(Note((layer.name,), f"{runtime} has no {layer.type}"))
    return found


_SHERPA_TYPES = frozenset(
    ("PoolingModuleNoProj", "TensorAsStrided", "SimpleUpsample", "Stack", "SherpaMetaData")
)


def _weights(model: Model) -> list[object]:
    """What is in the ``.bin``, in its order; arrays that nobody touched are the same objects."""
    return [weight for layer in model.graph for weight in layer._weights]
