"""What is to be done for a model: which stages are up to date, and why the others are not."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.files import Files
from ncnnparam.pipeline.key import Key, key_of
from ncnnparam.pipeline.stage import Facts, Stage
from ncnnparam.pipeline.stages import STAGES
from ncnnparam.pipeline.store import Record, Store


class State(enum.Enum):
    """How a stage stands."""

    DONE = "done"
    STALE = "stale"
    MISSING = "missing"
    UNWANTED = "not needed"


@dataclass(frozen=True)
class Standing:
    """How a stage stands, and why.

    Attributes:
        state: How.
        why: Why it is stale, missing or not needed.
        key: What it depends on; None if earlier stages must be done to tell.
        record: What it made last, or None.
    """

    state: State
    why: str = ""
    key: Key | None = None
    record: Record | None = None

    @property
    def is_open(self) -> bool:
        """There is something to be done."""
        return self.state in (State.STALE, State.MISSING)


@dataclass(frozen=True)
class Progress:
    """What stages have made so far.

    Attributes:
        files: Their files.
        facts: What they told, by stage.
        records: Digests of their records, by stage.
    """

    files: Files
    facts: Mapping[str, Facts]
    records: Mapping[str, str]

    @classmethod
    def none(cls) -> Progress:
        """Nothing."""
        return cls(Files(), {}, {})

    def after(self, stage: Stage, record: Record, store: Store) -> Progress:
        """This, and what one more stage made."""
        return Progress(
            self.files.with_made(store.files(stage.name, record)),
            {
                **self.facts,
                stage.name: {**record.facts, "seconds": record.seconds, "problems": record.problems},
            },
            {**self.records, stage.name: record.digest},
        )


def standing(stage: Stage, model: Model, progress: Progress, store: Store) -> Standing:
    """How a stage stands whose predecessors are done.

    Raises:
        FileError: A file of the user's cannot be read.
    """
    unwanted = stage.unwanted(model)
    if unwanted:
        return Standing(State.UNWANTED, unwanted)
    key = key_of(stage, model, progress.files, progress.records, store.digests)
    record = store.record(stage.name)
    if record is None:
        return Standing(State.MISSING, "not done yet", key)
    changed = key.differs(record.key) or store.damage(stage.name, record)
    return Standing(State.STALE if changed else State.DONE, changed, key, record)


def survey(model: Model, store: Store) -> Iterator[tuple[Stage, Standing]]:
    """How all stages stand; those behind one that is to be done wait for it.

    Raises:
        FileError: A file of the user's cannot be read.
    """
    progress, waits_for = Progress.none(), ""
    for stage in STAGES:
        if waits_for:
            record, unwanted = store.record(stage.name), stage.unwanted(model)
            if unwanted:
                yield stage, Standing(State.UNWANTED, unwanted)
            else:
                state = State.MISSING if record is None else State.STALE
                yield stage, Standing(state, f"after {waits_for}", None, record)
            continue
        found = standing(stage, model, progress, store)
        yield stage, found
        if found.state is State.DONE and found.record is not None:
            progress = progress.after(stage, found.record, store)
        elif found.is_open:
            waits_for = stage.name
