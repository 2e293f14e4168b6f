"""What happens in a run, for whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Event:
    """Something happened in a stage of a model."""

    model: str
    stage: str


@dataclass(frozen=True)
class Started(Event):
    """Work begins.

    Attributes:
        why: Why it is to be done.
    """

    why: str


@dataclass(frozen=True)
class Said(Event):
    """A stage said something.

    Attributes:
        text: What it said.
    """

    text: str


@dataclass(frozen=True)
class Advanced(Event):
    """Work goes on.

    Attributes:
        done: How much is done.
        total: Of how much.
    """

    done: int
    total: int


@dataclass(frozen=True)
class Done(Event):
    """Work was done.

    Attributes:
        seconds: How long it took.
        problems: What the user should look at.
    """

    seconds: float
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cached(Event):
    """What the stage would make is there.

    Attributes:
        problems: What the user should look at.
    """

    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skipped(Event):
    """The model does not need the stage.

    Attributes:
        why: Why not.
    """

    why: str


@dataclass(frozen=True)
class Planned(Event):
    """A dry run: work would be done.

    Attributes:
        why: Why.
    """

    why: str


@dataclass(frozen=True)
class Failed(Event):
    """Work failed; the error follows."""


Listener: TypeAlias = Callable[[Event], None]
