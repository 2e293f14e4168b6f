"""Loads and runs a model on ncnn in a child process, and tells what happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ncnnparam.errors import NcnnParamError
from ncnnparam.runtime.process import Child

if TYPE_CHECKING:
    from numpy.typing import NDArray

Run: TypeAlias = "tuple[Mapping[str, NDArray[Any]], Iterable[str]]"
"""What to feed by blob name, and the blobs to fetch."""
MEMORY = 4 << 30
"""Address space that the child may take by default, in bytes."""
TIMEOUT = 120.0
"""Seconds that the child may run by default."""


@dataclass
class Outcome:
    """What ncnn did with a model.

    Attributes:
        ok: It loaded, and ran if it was asked to.
        version: Version of ncnn.
        problem: What went wrong, in one line; empty if nothing did.
        messages: What ncnn printed.
        outputs: The blobs that were asked for, by name; float32, shaped as ncnn gives them.
        runs: The same of each run, if there were several; when one failed, of those before it.
        shapes: By blob name, sizes as numpy orders them, if ``blob_shapes`` asked.
        failed: Names of the layers that ``blob_shapes`` could not compute.
    """

    ok: bool
    version: str
    problem: str = ""
    messages: list[str] = field(default_factory=list)
    outputs: dict[str, NDArray[Any]] = field(default_factory=dict)
    runs: list[dict[str, NDArray[Any]]] = field(default_factory=list)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


def load_net(
    param: str | os.PathLike[str],
    weights: str | os.PathLike[str] | None = None,
    *,
    custom_types: Iterable[str] = (),
    memory: int = MEMORY,
    timeout: float = TIMEOUT,
) -> Outcome:
    """Lets ncnn load a ``.param`` file, and its ``.bin`` if given.

    Args:
        param: The graph.
        weights: The weights, or None to load only the graph.
        custom_types: Layer types to register as layers that do nothing.
        memory: Address space for the child in bytes; has no effect on Windows.
        timeout: Seconds for the child.

    Raises:
        NcnnParamError: The ``ncnn`` package is not installed.
    """
    with loading(param, weights, custom_types=custom_types, memory=memory, timeout=timeout) as finish:
        return finish()


def loading(
    param: str | os.PathLike[str],
    weights: str | os.PathLike[str] | None = None,
    *,
    custom_types: Iterable[str] = (),
    memory: int = MEMORY,
    timeout: float = TIMEOUT,
) -> AbstractContextManager[Callable[[], Outcome]]:
    """Starts what ``load_net`` does, which takes the same, so that this process can do something meanwhile.

    Returns:
        For a ``with`` statement, which gives a function that waits for the outcome. When the block ends, so
        does the child.

    Raises:
        NcnnParamError: The ``ncnn`` package is not installed.
    """
    return _child(param, weights, [], custom_types, memory, timeout)


def run_net(
    param: str | os.PathLike[str],
    weights: str | os.PathLike[str],
    inputs: Mapping[str, NDArray[Any]],
    outputs: Iterable[str],
    *,
    custom_types: Iterable[str] = (),
    memory: int = MEMORY,
    timeout: float = TIMEOUT,
) -> Outcome:
    """Loads a model, feeds blobs and fetches others, in float32 arithmetic.

    Args:
        param: The graph.
        weights: The weights.
        inputs: What to feed by blob name: float32 or int32, at most 4 dimensions, without a batch axis.
        outputs: Names of the blobs to fetch.
        custom_types: Layer types to register as layers that do nothing.
        memory: Address space for the child in bytes; has no effect on Windows.
        timeout: Seconds for the child.

    Raises:
        NcnnParamError: The ``ncnn`` package is not installed.
    """
    with _child(param, weights, [(inputs, list(outputs))], custom_types, memory, timeout) as finish:
        outcome = finish()
    outcome.outputs = outcome.runs[0] if outcome.runs else {}
    return outcome


def run_often(
    param: str | os.PathLike[str],
    weights: str | os.PathLike[str],
    runs: Sequence[Run],
    *,
    custom_types: Iterable[str] = (),
    memory: int = MEMORY,
    timeout: float = TIMEOUT,
) -> Outcome:
    """Loads a model once and runs it several times; see ``run_net``.

    Args:
        param: The graph.
        weights: The weights.
        runs: What to feed each time, and which blobs to fetch.
        custom_types: Layer types to register as layers that do nothing.
        memory: Address space for the child in bytes; has no effect on Windows.
        timeout: Seconds for the child, for each run.

    Raises:
        NcnnParamError: The ``ncnn`` package is not installed.
    """
    timeout *= max(len(runs), 1)
    with _child(param, weights, runs, custom_types, memory, timeout) as finish:
        return finish()


def blob_shapes(
    param: str | os.PathLike[str],
    inputs: Mapping[str, Sequence[int]],
    *,
    custom_types: Iterable[str] = (),
    memory: int = MEMORY,
    timeout: float = TIMEOUT,
) -> Outcome:
    """Lets ncnn tell the shapes of all blobs: it runs the graph on zeros, with zeros for weights.

    Shapes that depend on numbers, such as what a detector finds, come out as they are for zeros. Blobs below
    a layer that cannot be computed, such as one of a custom type, have no shape.

    Args:
        param: The graph.
        inputs: Shape of each input by blob name: 1 to 4 sizes as numpy orders them, the width last, without a
            batch axis. What needs an input that is left out has no shape either.
        custom_types: Layer types to register as layers that do nothing.
        memory: Address space for the child in bytes; has no effect on Windows.
        timeout: Seconds for the child.

    Raises:
        NcnnParamError: The ``ncnn`` package is not installed.
    """
    zeros = {name: list(sizes) for name, sizes in inputs.items()}
    with _child(param, None, [], custom_types, memory, timeout, zeros) as finish:
        return finish()


@contextmanager
def _child(
    param: str | os.PathLike[str],
    weights: str | os.PathLike[str] | None,
    runs: Sequence[Run],
    custom_types: Iterable[str],
    memory: int,
    timeout: float,
    zeros: Mapping[str, list[int]] | None = None,
) -> Iterator[Callable[[], Outcome]]:
    import numpy as np

    if find_spec("ncnn") is None:
        raise NcnnParamError(
            "this needs the ncnn package, which is not installed", hint='pip install "ncnnparam[runtime]"'
        )
    with tempfile.TemporaryDirectory(prefix="ncnnparam-") as folder:
        results = [Path(folder) / f"{number}.outputs.npz" for number in range(len(runs))]
        asked = []
        for number, (inputs, outputs) in enumerate(runs):
            feed, arrays = Path(folder) / f"{number}.inputs.npz", dict[str, Any](inputs)
            np.savez(feed, **arrays)
            asked.append({"inputs": str(feed), "outputs": list(outputs), "result": str(results[number])})
        order = {
            "param": os.fspath(param),
            "weights": os.fspath(weights) if weights is not None else None,
            "runs": asked,
            "zeros": zeros,
            "custom_types": sorted(set(custom_types)),
            "memory": memory,
        }
        with Child("ncnnparam.runtime.child", order, timeout) as child:
            yield lambda: _finish(child, results, timeout)


def _finish(child: Child, results: Iterable[Path], timeout: float) -> Outcome:
    import numpy as np

    try:
        outcome = _outcome(child.finish())
    except subprocess.TimeoutExpired:
        return Outcome(False, "", f"ncnn was stopped after {timeout:g} seconds")
    for result in results:
        if not result.exists():
            break
        with np.load(result, allow_pickle=False) as found:
            outcome.runs.append(dict(found))
    return outcome


def _outcome(child: subprocess.CompletedProcess[str]) -> Outcome:
    messages = [line for line in child.stderr.splitlines() if line.strip()]
    try:
        answer = json.loads(child.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        how = f"signal {-child.returncode}" if child.returncode < 0 else f"exit code {child.returncode}"
        if child.returncode < 0:
            how += f" ({signal.Signals(-child.returncode).name})"
        return Outcome(False, "", f"ncnn died by {how}", messages)
    return Outcome(
        not answer["problem"],
        answer["version"],
        answer["problem"],
        messages,
        shapes={name: tuple(sizes) for name, sizes in answer.get("shapes", {}).items()},
        failed=answer.get("failed", []),
    )
