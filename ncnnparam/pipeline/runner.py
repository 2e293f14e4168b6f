"""Runs the stages of models, those that are not up to date."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ncnnparam.errors import ConfigError, NcnnParamError, did_you_mean
from ncnnparam.pipeline.child import encode_model
from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.events import (
    Advanced,
    Cached,
    Done,
    Failed,
    Listener,
    Planned,
    Said,
    Skipped,
    Started,
)
from ncnnparam.pipeline.key import Key
from ncnnparam.pipeline.launch import Message, launch
from ncnnparam.pipeline.lock import locked
from ncnnparam.pipeline.plan import Progress, Standing, State, standing, survey
from ncnnparam.pipeline.space import require_space
from ncnnparam.pipeline.stage import Stage
from ncnnparam.pipeline.stages import STAGES
from ncnnparam.pipeline.store import Record, Store

STATE = ".ncnnparam"
"""Folder in an output folder for what runs keep."""


@dataclass(frozen=True)
class Options:
    """What to run.

    Attributes:
        begin: The first stage; those before it are taken as they are. Empty for all.
        end: The last stage. Empty for all.
        force: Run them even if they are up to date.
        jobs: In how many processes a stage may work.
    """

    begin: str = ""
    end: str = ""
    force: bool = False
    jobs: int = 1

    def __post_init__(self) -> None:
        names = [stage.name for stage in STAGES]
        for name in filter(None, (self.begin, self.end)):
            if name not in names:
                hint = did_you_mean(name, names) or f"the stages are {', '.join(names)}"
                raise ConfigError(f"there is no stage '{name}'", hint=hint)
        if self.begin and self.end and names.index(self.begin) > names.index(self.end):
            raise ConfigError(
                f"stage {self.begin} comes after {self.end}", hint=f"they are {', '.join(names)}"
            )


def run(models: Sequence[Model], options: Options, tell: Listener) -> None:
    """Runs the stages of models that are not up to date, model by model.

    Args:
        models: The models.
        options: What to run.
        tell: Is told what happens.

    Raises:
        NcnnParamError: A stage cannot do its work; the text names it, the model and the log.
    """
    stores = {model.name: _store(model) for model in models}
    for model in models:
        _check(model, stores[model.name], options)
    for model in models:
        store = stores[model.name]
        with locked(store.state):
            store.clean()
            try:
                _run_model(model, store, options, tell)
            finally:
                store.digests.save()


def plan(models: Iterable[Model], options: Options, tell: Listener) -> None:
    """Tells what ``run`` would do.

    Raises:
        FileError: A file that a config names cannot be read.
    """
    chosen = [stage.name for stage in _chosen(options)]
    for model in models:
        for stage, found in stand(model):
            if found.state is State.UNWANTED:
                tell(Skipped(model.name, stage, found.why))
            elif stage in chosen and (options.force or found.is_open):
                tell(Planned(model.name, stage, found.why or "forced"))
            elif found.record is not None:
                tell(Cached(model.name, stage, tuple(found.record.problems)))


def stand(model: Model) -> list[tuple[str, Standing]]:
    """How the stages of a model stand, by their names.

    Raises:
        FileError: A file that the config names cannot be read.
    """
    return [(stage.name, found) for stage, found in survey(model, _store(model))]


def log_of(model: Model, stage: str) -> Path:
    """The log of a stage."""
    return model.output.folder / STATE / "logs" / f"{stage}.log"


def _store(model: Model) -> Store:
    return Store(model.output.folder / STATE)


def _chosen(options: Options) -> Sequence[Stage]:
    names = [stage.name for stage in STAGES]
    first = names.index(options.begin) if options.begin else 0
    last = names.index(options.end) if options.end else len(names) - 1
    return STAGES[first : last + 1]


def _check(model: Model, store: Store, options: Options) -> None:
    """Has the stages that will run look at the config, so that what is wrong in it is told at once.

    Raises:
        NcnnParamError: A stage could not do its work.
    """
    chosen = _chosen(options)
    for stage, found in survey(model, store):
        if stage in chosen and (found.is_open or (options.force and found.state is State.DONE)):
            stage.check(model)
            if stage.brings_files:
                return  # what the later ones need may not be there yet


def _run_model(model: Model, store: Store, options: Options, tell: Listener) -> None:
    progress, chosen = Progress.none(), _chosen(options)
    for stage in STAGES[: STAGES.index(chosen[-1]) + 1]:
        if stage not in chosen:
            progress = _taken(stage, model, progress, store, tell)
            continue
        found = standing(stage, model, progress, store)
        if found.state is State.UNWANTED:
            tell(Skipped(model.name, stage.name, found.why))
            continue
        record = found.record
        if found.state is State.DONE and record is not None and not options.force:
            tell(Cached(model.name, stage.name, tuple(record.problems)))
        else:
            record = _Work(stage, model, progress, store, options.jobs, tell).do(found)
        progress = progress.after(stage, record, store)


def _taken(stage: Stage, model: Model, progress: Progress, store: Store, tell: Listener) -> Progress:
    """What a stage made that is not to be run, whatever it would make now."""
    unwanted = stage.unwanted(model)
    if unwanted:
        tell(Skipped(model.name, stage.name, unwanted))
        return progress
    record = store.record(stage.name)
    missing = "it has not been run" if record is None else store.damage(stage.name, record)
    if record is None or missing:
        raise NcnnParamError(
            f"what stage {stage.name} of {model.name} made is wanted: {missing}",
            hint=f"begin with --from {stage.name}, or without --from",
        )
    tell(Cached(model.name, stage.name, tuple(record.problems)))
    return progress.after(stage, record, store)


@dataclass(frozen=True)
class _Work:
    """One stage that is to be run."""

    stage: Stage
    model: Model
    progress: Progress
    store: Store
    jobs: int
    tell: Listener

    def do(self, found: Standing) -> Record:
        """Runs the stage and puts what it made in its place."""
        assert found.key is not None
        name = self.stage.name
        self.tell(Started(self.model.name, name, found.why or "forced"))
        log = log_of(self.model, name)
        log.parent.mkdir(exist_ok=True)
        log.write_bytes(b"")
        begin = time.monotonic()
        try:
            with self.store.workshop(name) as workshop:
                record = self._make(found.key, workshop, log, begin)
        except NcnnParamError as error:
            self.tell(Failed(self.model.name, name))
            told = f"; its log is {log}" if log.stat().st_size else ""
            raise NcnnParamError(
                f"stage {name} of {self.model.name}: {error.message}{told}",
                hint=error.hint,
                code=error.code,
            ) from None
        self.tell(Done(self.model.name, name, record.seconds, tuple(record.problems)))
        return record

    def _make(self, key: Key, workshop: Path, log: Path, begin: float) -> Record:
        stage, files = self.stage, self.progress.files
        read = [files[role].path for role in stage.reads(self.model, files)]
        read += stage.sources(self.model, files).values()
        require_space(workshop, stage.needs(files, read))
        folder, scratch = workshop / "made", workshop / "scratch"
        folder.mkdir()
        scratch.mkdir()
        keep = self.store.kept(stage.name, key)
        answer = launch(self._order(folder, keep), log, scratch, self._hear)
        made = self.store.made({role: Path(path) for role, path in answer["files"].items()}, folder)
        record = Record(
            key,
            made,
            answer["facts"],
            answer["problems"],
            round(time.monotonic() - begin, 3),
            datetime.now(timezone.utc).isoformat(timespec="seconds"),
        )
        self.store.put(stage.name, folder, record)
        return record

    def _order(self, folder: Path, keep: Path) -> Message:
        return {
            "stage": self.stage.name,
            "model": encode_model(self.model),
            "files": {role: [str(path), *rest] for role, (path, *rest) in self.progress.files.items()},
            "facts": self.progress.facts,
            "folder": str(folder),
            "keep": str(keep),
            "jobs": self.jobs,
        }

    def _hear(self, message: dict[str, Any]) -> None:
        if "line" in message:
            self.tell(Said(self.model.name, self.stage.name, message["line"]))
        else:
            self.tell(Advanced(self.model.name, self.stage.name, message["done"], message["total"]))
