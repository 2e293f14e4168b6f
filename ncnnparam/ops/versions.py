"""What each ncnn release knows and how it reads files: targets to check a model for.

The facts are ``versions.json`` beside this module. ``tools/probe_versions.py`` makes it: it asks every
release, and the ncnn that sherpa-ncnn's wheel carries, with small models. Nothing comes from documentation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from ncnnparam.errors import ConfigError, did_you_mean

Verdict: TypeAlias = Literal["reads", "accepts", "ignores", "misreads", "refuses", "crashes"]
"""What a runtime does with something: it reads it as written, takes a file that newer ones refuse, acts as if
it were not there, computes something else, refuses the file, or dies."""

LATEST = "latest"
_NCNN = "ncnn-"
_TABLE = Path(__file__).with_name("versions.json")


@dataclass(frozen=True)
class Target:
    """A runtime that a model is meant for.

    Attributes:
        name: ``ncnn-20250916`` for example.
        release: The ncnn release that it is, or is built on: ``20250916``.
        note: How the name came from what was asked for, in a sentence, or empty.
    """

    name: str
    release: str
    note: str = ""

    def __str__(self) -> str:
        return self.name

    def has_type(self, name: str) -> bool:
        """Whether the runtime has a layer type built in; no runtime has custom types."""
        row = _table()["types"].get(name)
        return (
            row is not None and row[0] <= self.release <= row[1] and name not in self._build.get("lacks", ())
        )

    def feature(self, name: str) -> Verdict:
        """What the runtime does with a feature of the language, a fault or a kind of weights.

        Raises:
            KeyError: The table has no feature of that name.
        """
        return self._verdict("features", name, _table()["features"][name])

    def param(self, type: str, id: int) -> Verdict:
        """Whether the runtime reads a param of a layer type that it has.

        What no release was found to ignore counts as read.
        """
        subject = f"{type}.{id}"
        return self._verdict("params", subject, _table()["params"].get(subject, {}))

    def value(self, type: str, id: int, value: int) -> Verdict:
        """Whether the runtime knows a value of an enumeration.

        What no release was found to mistake counts as read.
        """
        subject = f"{type}.{id}={value}"
        return self._verdict("values", subject, _table()["values"].get(subject, {}))

    @property
    def _build(self) -> Mapping[str, Any]:
        return cast("Mapping[str, Any]", _table()["builds"].get(self.name, {}))

    def _verdict(self, kind: str, subject: str, changes: Mapping[str, Verdict]) -> Verdict:
        own = self._build.get(kind, {}).get(subject)
        if own is not None:
            return cast("Verdict", own)
        known = [verdict for release, verdict in changes.items() if release <= self.release]
        return known[-1] if known else "reads"


def targets() -> tuple[str, ...]:
    """The names of all targets: ncnn's releases from old to new, then builds of others."""
    return (*(_NCNN + release for release in releases()), *_table()["builds"])


def releases() -> tuple[str, ...]:
    """The ncnn releases that were asked, from old to new: ``20210525`` and so on."""
    return tuple(_table()["releases"])


def target(name: str) -> Target:
    """A target by name.

    Args:
        name: ``latest``, or one of ``targets()``. ``ncnn-`` with a day between two releases means the release
            before it; the target's ``note`` then says so.

    Raises:
        ConfigError: There is no such target.
    """
    if name == LATEST:
        newest = releases()[-1]
        return Target(_NCNN + newest, newest)
    builds = _table()["builds"]
    if name in builds:
        return Target(name, builds[name]["base"])
    day = re.fullmatch(rf"{_NCNN}(\d{{8}})", name)
    if day is None or day[1] < releases()[0]:
        hint = did_you_mean(name, (LATEST, *targets()))
        if day is not None:
            hint = f"the oldest release that is known is {_NCNN}{releases()[0]}"
        raise ConfigError(f"there is no target '{name}'", hint=hint or f"targets are {', '.join(targets())}")
    release = max(known for known in releases() if known <= day[1])
    note = "" if release == day[1] else f"there is no release of {day[1]}; {release} is the one before it"
    return Target(_NCNN + release, release, note)


def type_since(name: str) -> str | None:
    """The first release that has a layer type, of those that were asked; None if no release has it."""
    row = _table()["types"].get(name)
    return None if row is None else cast(str, row[0])


def param_since(type: str, id: int) -> str | None:
    """The first release that reads a param; None if all do that have the type, or none does."""
    changes = _table()["params"].get(f"{type}.{id}", {})
    return next((release for release, verdict in changes.items() if verdict == "reads"), None)


@cache
def _table() -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(_TABLE.read_text(encoding="utf-8")))
