"""Stage ``convert``: TorchScript becomes ncnn, by pnnx."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import ConfigError
from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.files import Files, pair_roles
from ncnnparam.pipeline.stage import Job, Result, Stage
from ncnnparam.speech.nets import NETS

if TYPE_CHECKING:
    from ncnnparam.export import Converted
    from ncnnparam.graph import Graph


class Convert(Stage):
    """Converts the three nets, or takes what pnnx wrote earlier."""

    name = "convert"
    tools = ("pnnx",)

    def check(self, model: Model) -> None:
        """Makes sure that pnnx is installed, or that what it wrote is there."""
        if model.trace.how != "converted":
            from ncnnparam.export import pnnx_program

            pnnx_program()
            return
        missing = [part for part in NETS if part not in model.trace.given()]
        if missing:
            raise ConfigError(
                f'{model.name}: [trace] with how = "converted" needs {" and ".join(missing)}',
                hint=f"name the .ncnn.param of each net in {model.file}",
            )

    def sources(self, model: Model, files: Files) -> Mapping[str, Path]:
        """With ``how = "converted"`` what pnnx wrote."""
        return dict(_given(model)) if model.trace.how == "converted" else {}

    def reads(self, model: Model, files: Files) -> Iterable[str]:
        """TorchScript."""
        return () if model.trace.how == "converted" else (f"{part}.pt" for part in NETS)

    def settings(self, model: Model) -> Any:
        """Who makes the fp16 weights."""
        return {"fp16": "ncnnparam" if model.trace.how == "converted" else model.convert.fp16}

    def needs(self, files: Files, read: Iterable[Path]) -> int:
        """The fp32 weights, half of that again, and what pnnx has in between."""
        return sum(path.stat().st_size for path in read) * 5 // 2

    def run(self, job: Job) -> Result:
        """Makes fp32 and fp16 forms of every net."""
        result = Result()
        if job.model.trace.how == "converted":
            _take(job, result)
        else:
            _convert(job, result)
        for part in NETS:
            if pair_roles(part, "fp16")[0] not in result.files:
                _halve(part, job, result)
        result.facts["nets"] = {part: _facts(part, result) for part in NETS}
        return result


def _convert(job: Job, result: Result) -> None:
    """Has pnnx convert the nets, several at a time if that is allowed."""
    from ncnnparam.export import convert

    how = job.model.convert
    storages = ("fp32", "fp16") if how.fp16 == "pnnx" else ("fp32",)

    def one(part: str) -> list[Converted]:
        made: list[Converted] = []
        for storage in storages:
            made.append(
                convert(
                    job.files[f"{part}.pt"].path,
                    job.folder,
                    fp16=storage == "fp16",
                    timeout=how.timeout,
                    memory=how.memory,
                    name=f"{part}.{storage}",
                    log=job.keep / f"{part}.{storage}.pnnx.log",
                    # what made pnnx crash once would do so again
                    drop_recorded_inputs=made[0].recorded_inputs_dropped if made else None,
                )
            )
        return made

    with ThreadPoolExecutor(job.jobs) as pool:
        for number, (part, all_made) in enumerate(zip(NETS, pool.map(one, NETS), strict=True), 1):
            job.tell.advance(number, len(NETS))
            for storage, made in zip(storages, all_made, strict=True):
                result.files |= zip(pair_roles(part, storage), (made.param, made.weights), strict=True)
            first = all_made[0]
            result.files[f"{part}.pnnx"] = first.pnnx_param
            result.facts[part] = {
                "recorded_inputs_dropped": first.recorded_inputs_dropped,
                "unknown": first.unknown,
                "seconds": first.seconds,
            }


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
