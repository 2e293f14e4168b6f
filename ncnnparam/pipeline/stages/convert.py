"""Stage ``convert``: TorchScript becomes ncnn, by pnnx."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import ConfigError
from ncnnparam.pipeline.config import PARTS, Model
from ncnnparam.pipeline.files import Files, pair_roles
from ncnnparam.pipeline.stage import Job, Result, Stage

if TYPE_CHECKING:
    from ncnnparam.graph import Graph


class Convert(Stage):
    """Converts the three nets, or takes what pnnx wrote earlier."""

    name = "convert"
    tools = ("pnnx", "torch")
    does = "converts TorchScript to ncnn"

    def sources(self, model: Model, files: Files) -> Mapping[str, Path]:
        """With ``how = "converted"`` what pnnx wrote."""
        return dict(_given(model)) if model.trace.how == "converted" else {}

    def needs(self, files: Files, read: Iterable[Path]) -> int:
        """The fp32 weights and half of that again."""
        return sum(path.stat().st_size for path in read) * 3 // 2

    def run(self, job: Job) -> Result:
        """Converts every net to fp32 and fp16."""
        result = Result()
        _take(job, result)
        for part in PARTS:
            _halve(part, job, result)
        result.facts["nets"] = {part: _facts(part, result) for part in PARTS}
        return result


def _given(model: Model) -> Iterable[tuple[str, Path]]:
    """The files that pnnx wrote, by role."""
    from ncnnparam.passes.pnnx import beside
    from ncnnparam.syntax.pairing import bin_of

    for part, path in model.trace.given().items():
        param, weights = pair_roles(part, "fp32")
        yield param, path
        yield weights, bin_of(path)
        pnnx = beside(str(path))
        if pnnx is not None:
            yield f"{part}.pnnx", Path(pnnx)


def _take(job: Job, result: Result) -> None:
    """Copies what pnnx wrote, which its next run would write over."""
    for role, path in _given(job.model):
        ending = "pnnx.param" if role.endswith(".pnnx") else f"ncnn.{role.rpartition('.')[2]}"
        result.files[role] = job.folder / f"{role.partition('.')[0]}.fp32.{ending}"
        copyfile(path, result.files[role])


def _halve(part: str, job: Job, result: Result) -> None:
    """Stores the fp32 weights of a net as fp16."""
    from ncnnparam.model import load, save
    from ncnnparam.weights import Storage
    from ncnnparam.weights.convert import convert

    model = load(*(result.files[role] for role in pair_roles(part, "fp32")))
    _require_floats(part, model.graph)
    changes = convert(model.graph, Storage.FLOAT16)
    target = job.folder / f"{part}.fp16.ncnn.param"
    save(model, target, target.with_suffix(".bin"))
    result.files |= zip(pair_roles(part, "fp16"), (target, target.with_suffix(".bin")), strict=True)
    result.problems += [
        f"{part}: {change.overflowed:,} numbers of {change.layer} are too large for fp16"
        for change in changes
        if change.overflowed
    ]


def _require_floats(part: str, graph: Graph) -> None:
    """Makes sure that a net that was given has not lost what int8 is to be made of."""
    from ncnnparam.weights import Storage

    weights = [weight for layer in graph for weight in layer.weights.values()]
    coarse = {weight.storage for weight in weights} - {Storage.FLOAT32, Storage.RAW}
    if coarse:
        names = " and ".join(sorted(map(str, coarse)))
        raise ConfigError(
            f"the {part} has weights in {names}, and float32 ones are needed",
            hint="run pnnx with fp16=0",
        )


def _facts(part: str, result: Result) -> dict[str, Any]:
    from ncnnparam.model import load

    graph = load(result.files[f"{part}.fp32.param"]).graph
    return {"layers": graph.layer_count, "blobs": graph.blob_count}
