"""Stage ``trace``: the three traced modules."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import ConfigError, FileError
from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.files import Files
from ncnnparam.pipeline.recipes import checkpoints, export_flags, factory_sources, recipe_sources
from ncnnparam.pipeline.stage import Job, Result, Stage
from ncnnparam.speech.nets import NETS

if TYPE_CHECKING:
    from ncnnparam.export import Traced


class Trace(Stage):
    """Takes TorchScript, or has it made by icefall's export or by a function in Python."""

    name = "trace"
    tools = ("torch",)

    def unwanted(self, model: Model) -> str:
        """What pnnx wrote is there."""
        return "what pnnx wrote is there" if model.trace.how == "converted" else ""

    def check(self, model: Model) -> None:
        """Makes sure that the config says all that this way needs."""
        super().check(model)
        how = model.trace
        if how.how == "files":
            _require(model, {part: getattr(how, part) for part in NETS})
        elif how.how == "factory":
            _require(model, {"factory": how.factory})
        else:
            _require(model, {"checkout": how.checkout, "recipe": how.recipe})
            if "exp-dir" not in export_flags(model):
                raise ConfigError(
                    f"{model.name}: nothing tells where the checkpoint is",
                    hint=f'name it in {model.file} under [trace]: flags = {{ exp-dir = "..." }}',
                )

    def imports(self, model: Model) -> Iterable[tuple[str, str]]:
        """A factory's modules are PyTorch's; icefall has a Python of its own."""
        return (("torch", "export"),) if model.trace.how == "factory" else ()

    def settings(self, model: Model) -> Any:
        """The way, and what it is told."""
        how = model.trace
        told: dict[str, Any] = {"how": how.how}
        if how.how == "factory":
            told |= {"factory": how.factory, "trust": how.trust}
        elif how.how == "icefall":
            told |= {"recipe": how.recipe, **export_flags(model)}
        return told

    def sources(self, model: Model, files: Files) -> Mapping[str, Path]:
        """What the modules are made of."""
        how = model.trace
        if how.how == "files":
            return how.given()
        found = {} if how.checkpoint is None else {"checkpoint": how.checkpoint}
        if how.how == "factory":
            return {**found, **factory_sources(how.factory, how.path)}
        return {**recipe_sources(model), **checkpoints(model)}

    def run(self, job: Job) -> Result:
        """Gets them."""
        traced = _traced(job)
        result = Result()
        for part, path in traced.parts.items():
            place = path
            if job.model.trace.how == "icefall":  # another export would write over it, and through a link
                place = job.folder / path.name
                copyfile(path, place)
            result.files[f"{part}.pt"] = place
            result.facts[part] = {"bytes": place.stat().st_size}
        result.facts["how"] = job.model.trace.how
        return result


def _traced(job: Job) -> Traced:
    from ncnnparam.export import take_traced, trace_factory, trace_icefall

    how = job.model.trace
    if how.how == "files":
        return take_traced(how.given())
    if how.how == "factory":
        return trace_factory(
            how.factory,
            job.folder,
            log=job.keep / "trace.log",
            path=how.path,
            checkpoint=how.checkpoint,
            trust=how.trust,
            timeout=how.timeout,
            line=_log,
        )
    assert how.checkout is not None
    return trace_icefall(
        how.checkout,
        how.recipe,
        export_flags(job.model),
        log=job.keep / "export.log",
        python=how.python,
        timeout=how.timeout,
        line=_log,
    )


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _require(model: Model, given: Mapping[str, object]) -> None:
    """Makes sure that keys of the table have values, and that the files among them are there.

    Raises:
        ConfigError: A value is missing.
        FileError: A file is.
    """
    missing = [key for key, value in given.items() if not value]
    if missing:
        names = " and ".join(missing)
        raise ConfigError(
            f'{model.name}: [trace] with how = "{model.trace.how}" needs {names}',
            hint=f"name {'it' if len(missing) == 1 else 'them'} in {model.file}",
        )
    for key, path in {**given, "checkpoint": model.trace.checkpoint, "path": model.trace.path}.items():
        if isinstance(path, Path) and not path.exists():
            raise FileError(
                f"{model.name}: there is no {path}", hint=f"{key} under [trace] names it", code="NP801"
            )
