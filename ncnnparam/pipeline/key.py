"""What the outcome of a stage depends on: when all of it is the same, the work need not be done again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from msgspec import Struct

from ncnnparam import __version__
from ncnnparam.errors import FileError, NcnnParamError
from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.digests import Digests
from ncnnparam.pipeline.files import Files
from ncnnparam.pipeline.stage import Stage


class Key(Struct, frozen=True):
    """What a stage depends on.

    Attributes:
        stage: Its name and version.
        settings: What of the config matters.
        inputs: Digests of what it reads, by role or label.
        tools: Versions of packages.
    """

    stage: str
    settings: dict[str, Any]
    inputs: dict[str, str]
    tools: dict[str, str]

    @property
    def digest(self) -> str:
        """Stands for all of it."""
        parts = [self.stage, self.settings, self.inputs, self.tools]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def differs(self, old: Key) -> str:
        """What is not as it was, in words; empty if all is."""
        if self.stage != old.stage:
            return f"{old.stage} has become {self.stage}"
        told = [
            *(_changes(old.settings, self.settings, "{name} is {new}, was {old}")),
            *(_changes(old.inputs, self.inputs, "{name} has changed")),
            *(_changes(old.tools, self.tools, "{name} is {new}, was {old}")),
        ]
        more = f" and {len(told) - 3} more" if len(told) > 3 else ""
        return f"{', '.join(told[:3])}{more}"


def key_of(stage: Stage, model: Model, files: Files, records: Mapping[str, str], digests: Digests) -> Key:
    """What a stage depends on now.

    Args:
        stage: The stage.
        model: The model's config.
        files: What earlier stages made.
        records: Digests of the records of earlier stages.
        digests: Of files.

    Raises:
        FileError: A file of the user's cannot be read.
        NcnnParamError: An earlier stage has not made what this one reads.
    """
    inputs: dict[str, str] = {}
    for role in stage.reads(model, files):
        if role not in files:
            raise NcnnParamError(
                f"stage {stage.name} of {model.name} needs {role}, which no stage before it made"
            )
        inputs[role] = files[role].sha256
    for label, path in stage.sources(model, files).items():
        if not path.is_file():
            fault, code = ("is a folder", "NP802") if path.is_dir() else ("does not exist", "NP801")
            raise FileError(
                f"stage {stage.name} of {model.name} needs the file {path}, which {fault}",
                hint=f"{label} in {model.file} names it",
                code=code,
            )
        inputs[label] = digests.of(path)
    inputs |= {f"facts of {name}": records[name] for name in stage.looks_at() if name in records}
    settings = stage.settings(model)
    return Key(
        f"{stage.name} {stage.version}",
        json.loads(json.dumps({} if settings is None else settings, default=str)),  # as a record has it
        inputs,
        {"ncnnparam": __version__, **{name: tool_version(name) for name in stage.tools}},
    )


@cache
def tool_version(name: str) -> str:
    """The version of an installed package, or ``none``."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _changes(old: Mapping[str, Any], new: Mapping[str, Any], template: str) -> list[str]:
    told = []
    for name in dict.fromkeys((*new, *old)):
        if name not in old:
            told.append(f"{name} is new")
        elif name not in new:
            told.append(f"{name} is gone")
        elif old[name] != new[name]:
            told.append(template.format(name=name, old=old[name] or "none", new=new[name] or "none"))
    return told
