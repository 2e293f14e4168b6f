"""What a stage is: what it depends on, and what it does.

The runner asks ``unwanted``, ``check``, ``settings``, ``sources`` and ``reads``, which are quick and load
nothing heavy. ``run`` does the work, in a child process.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from ncnnparam.errors import NcnnParamError
from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.files import Files

Facts = dict[str, Any]
"""What a stage tells of itself, in types that ``json.dumps`` takes."""


class Teller(Protocol):
    """Where a stage says how far it is."""

    def line(self, text: str) -> None:
        """Says something that people may want to read while it works."""

    def advance(self, done: int, total: int) -> None:
        """Says how much of the work is done."""


@dataclass(frozen=True)
class Job:
    """What a stage gets to work on.

    Attributes:
        model: The model's config.
        files: What earlier stages made.
        facts: What earlier stages told, by stage.
        folder: A new folder for what it makes.
        keep: A folder whose content survives a kill, until the stage is done with the same inputs and
            settings.
        jobs: In how many processes to work.
        tell: Where to say how far it is.
    """

    model: Model
    files: Files
    facts: Mapping[str, Facts]
    folder: Path
    keep: Path
    jobs: int
    tell: Teller


@dataclass
class Result:
    """What a stage made.

    Attributes:
        files: By role: in the job's folder, or elsewhere for files that stay where they are.
        facts: For the report.
        problems: What the user should look at, although the stage went through.
    """

    files: dict[str, Path] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


class Stage(ABC):
    """A step on the way from a checkpoint to a verified model.

    Attributes:
        name: Its name, for ``--from`` and ``--until``.
        version: Goes up when it makes something else of the same files.
        tools: Packages whose version matters.
        modules: Modules that it cannot do without, each with the extra that installs it.
        brings_files: The files that a config names may come from it.
    """

    name: str
    version: int = 1
    tools: tuple[str, ...] = ()
    modules: tuple[tuple[str, str], ...] = ()
    brings_files: bool = False

    def unwanted(self, model: Model) -> str:
        """Why this model does not need the stage; empty if it does."""
        return ""

    def check(self, model: Model) -> None:
        """Looks at the config, and whether all is installed, before any work is done.

        Raises:
            NcnnParamError: The stage could not do its work.
        """
        for module, extra in self.imports(model):
            if find_spec(module) is None:
                raise NcnnParamError(
                    f"stage {self.name} needs {module}, which is not installed",
                    hint=f'pip install "ncnnparam[{extra}]"',
                )

    def imports(self, model: Model) -> Iterable[tuple[str, str]]:
        """The modules that it cannot do without for this model, each with the extra that installs it."""
        return self.modules

    def settings(self, model: Model) -> Any:
        """What of the config matters, besides the content of files, in types that ``json.dumps`` takes."""
        return None

    def sources(self, model: Model, files: Files) -> Mapping[str, Path]:
        """Files of the user's that it reads, by a label; one that does not exist is left out.

        Args:
            model: The model's config.
            files: What earlier stages made.
        """
        return {}

    def reads(self, model: Model, files: Files) -> Iterable[str]:
        """Roles of the files of earlier stages that it reads."""
        return ()

    def looks_at(self) -> Iterable[str]:
        """Stages whose facts it reads."""
        return ()

    def needs(self, files: Files, read: Iterable[Path]) -> int:
        """About how many bytes it will write.

        Args:
            files: What earlier stages made.
            read: The files that it reads.
        """
        return 0

    @abstractmethod
    def run(self, job: Job) -> Result:
        """Does the work.

        Raises:
            NcnnParamError: It cannot be done; the text says why.
        """
