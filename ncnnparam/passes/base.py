"""What a pass is: something that changes a model by a rule, and tells what it did."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ncnnparam.model import Model


@dataclass(frozen=True, slots=True)
class Note:
    """Something a pass tells about a place.

    Attributes:
        layers: Names of the layers it is about, as they were before the change.
        message: What was done there, or why nothing was, without a final full stop.
    """

    layers: tuple[str, ...]
    message: str

    def __str__(self) -> str:
        return f"{', '.join(self.layers)}: {self.message}" if self.layers else self.message


@dataclass
class PassResult:
    """What a pass did.

    Attributes:
        modified: Whether the model is another one now.
        changes: What was done, place by place.
        declined: Places that looked like work for the pass and were left alone, and why.
    """

    modified: bool = False
    changes: list[Note] = field(default_factory=list)
    declined: list[Note] = field(default_factory=list)

    def change(self, message: str, *layers: str) -> None:
        """Notes what was done; the model counts as modified."""
        self.modified = True
        self.changes.append(Note(layers, message))

    def decline(self, message: str, *layers: str) -> None:
        """Notes why a place was left alone."""
        self.declined.append(Note(layers, message))


class Pass(ABC):
    """A transformation of models.

    Subclasses set ``name``, write a docstring whose first line says what they do, and implement ``run``. A
    pass leaves a model that it cannot handle as it was; to run it twice is no different from running it once.

    Attributes:
        name: What pipelines and the command line call it: words with hyphens, ``fuse-batchnorm``.
    """

    name: str = ""

    @property
    def summary(self) -> str:
        """What the pass does, in a line without a full stop or marks of code."""
        return (self.__doc__ or self.name).strip().partition("\n")[0].rstrip(".").replace("``", "")

    @abstractmethod
    def run(self, model: Model) -> bool | PassResult:
        """Changes a model in place.

        Returns:
            Whether anything changed, or a full account.
        """

    def __call__(self, model: Model) -> PassResult:
        """Runs the pass and gives the account in any case."""
        result = self.run(model)
        return result if isinstance(result, PassResult) else PassResult(modified=result)

    def __repr__(self) -> str:
        return f"<pass {self.name}>"


class _FunctionPass(Pass):
    def __init__(self, function: Callable[[Model], bool | PassResult], name: str) -> None:
        self.name = name
        self.__doc__ = function.__doc__
        self._function = function

    def run(self, model: Model) -> bool | PassResult:
        return self._function(model)


def graph_pass(function: Callable[[Model], bool | PassResult]) -> Pass:
    """Makes a pass of a function; its name with hyphens is the name of the pass."""
    return _FunctionPass(function, function.__name__.strip("_").replace("_", "-"))
