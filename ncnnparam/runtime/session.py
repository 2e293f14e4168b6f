"""A net of ncnn in this process, run again and again.

ncnn's loader may crash on a strange file: ``require_sound`` first has a child process load it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ncnnparam.errors import NcnnParamError
from ncnnparam.ops import registry
from ncnnparam.optional import need
from ncnnparam.runtime.custom_layers import layer_classes
from ncnnparam.runtime.net import loading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.graph import Graph

_Seen = TypeVar("_Seen")


def custom_types(graph: Graph) -> tuple[str, ...]:
    """The types of a graph that are not ncnn's own."""
    types = {layer.type for layer in graph}
    return tuple(sorted(name for name in types if (known := registry.get(name)) is None or known.custom))


def require_sound(
    param: str, weights: str, types: Iterable[str] = (), meanwhile: Callable[[], object] | None = None
) -> None:
    """Lets a child process load a net.

    Args:
        param: The graph's file.
        weights: The weights' file.
        types: Its custom types.
        meanwhile: Is called once the child runs.

    Raises:
        NcnnParamError: ncnn refuses the net, or crashes, or is not installed.
    """
    require_all_sound([((param, weights), types)], meanwhile)


def require_all_sound(
    nets: Iterable[tuple[tuple[str, str], Iterable[str]]], meanwhile: Callable[[], object] | None = None
) -> None:
    """Lets child processes load several nets at the same time.

    Args:
        nets: ``.param`` and ``.bin`` of each, and its custom types.
        meanwhile: Is called once the children run.

    Raises:
        NcnnParamError: As ``require_sound`` does, of the first net that is not sound.
    """
    with ExitStack() as children:  # whatever happens, none is left running
        started = [
            (files, children.enter_context(loading(*files, custom_types=types))) for files, types in nets
        ]
        if meanwhile is not None:
            meanwhile()
        for (param, weights), finish in started:
            outcome = finish()
            if not outcome.ok:
                raise NcnnParamError(
                    "; ".join([f"{param}: {outcome.problem}", *outcome.messages[:1]]),
                    hint=f"ncnnparam check {param} {weights} may tell what is wrong",
                )


_FILLED = 0.75
"""The part of a block that a blob has to fill to get it from a pool."""


class Session:
    """A loaded net.

    Args:
        param: The graph's file.
        weights: The weights' file.
        types: Types to register. Those of sherpa-ncnn compute, others fail.
        threads: How many threads it may use; those of several nets at a time would wait for each other.
        float32: Compute in float32. Otherwise ncnn may keep numbers in fp16, as it does by itself, and as
            sherpa-ncnn lets it do.

    Raises:
        NcnnParamError: ncnn refuses the net.
    """

    def __init__(
        self,
        param: str | os.PathLike[str],
        weights: str | os.PathLike[str],
        types: Iterable[str] = (),
        threads: int = 1,
        *,
        float32: bool = True,
    ) -> None:
        self._extractors: dict[int, Any] = {}  # by id of the run
        self._net: Any = None  # also when it is closed
        self._ncnn = ncnn = need("ncnn", "runtime")
        self._name = os.fspath(param)
        self._net = net = ncnn.Net()
        self._layers: list[Any] = []  # the net keeps bare pointers to Python's layers
        # ncnn's own pools give a small blob a large block that is free, and so grow from run to run
        self._pools = ncnn.PoolAllocator(), ncnn.PoolAllocator()
        for pool in self._pools:
            pool.set_size_compare_ratio(_FILLED)
        if float32:
            net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
            net.opt.use_bf16_storage = False
        net.opt.num_threads = threads
        known = layer_classes(ncnn)
        for name in types:
            create = partial(_create, known.get(name, ncnn.Layer), self._layers)
            net.register_custom_layer(name, create, lambda layer: None)
        for load, file in ((net.load_param, param), (net.load_model, weights)):
            if load(os.fspath(file)) != 0:
                raise NcnnParamError(f"ncnn refuses {os.fspath(file)}")

    def run(self, inputs: Mapping[str, NDArray[Any]], outputs: Iterable[str]) -> dict[str, NDArray[Any]]:
        """Feeds blobs and fetches others, which are all computed in one run.

        Args:
            inputs: What to feed by blob name, without a batch axis.
            outputs: Names of the blobs to fetch.

        Raises:
            NcnnParamError: ncnn cannot compute a blob.
        """
        return self.start(inputs).fetch(outputs)

    def start(self, inputs: Mapping[str, NDArray[Any]]) -> Run:
        """Feeds blobs for a run from which blobs are fetched later.

        Raises:
            NcnnParamError: The net has no such input, or is closed.
        """
        return Run(self).feed(inputs)

    def close(self) -> None:
        """Frees the net and its runs, of which nothing can be fetched any more."""
        self._extractors.clear()  # not by the runs, which a traceback may keep alive
        self._net = None

    def __del__(self) -> None:
        self.close()  # before the layers and the pools go, whatever order the garbage collector takes

    def _extractor(self, run: int) -> Any:
        """The extractor of a run. No name is given to what it returns: a traceback would keep it."""
        if self._net is None:
            raise NcnnParamError(f"{self._name} is closed, so that nothing can be run on it")
        extractor = self._extractors.get(run)
        if extractor is None:
            extractor = self._extractors[run] = self._net.create_extractor()
            extractor.set_light_mode(False)  # a blob may be fetched after those that are made of it
            extractor.set_blob_allocator(self._pools[0])
            extractor.set_workspace_allocator(self._pools[1])
        return extractor


def _create(kind: Any, layers: list[Any]) -> Any:
    layers.append(kind())
    return layers[-1]


class Run:
    """One run of a net: blobs stay once they are computed.

    Args:
        session: The net, which lives at least as long as its runs.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        session._extractor(id(self))  # tells at once of a net that is closed

    def __del__(self) -> None:
        self._session._extractors.pop(id(self), None)

    def feed(self, inputs: Mapping[str, NDArray[Any]]) -> Run:
        """Puts blobs in.

        Raises:
            NcnnParamError: The net has no such input, or is closed.
        """
        session = self._session
        for name, array in inputs.items():
            contiguous = np.ascontiguousarray(array)  # has to live until it is cloned
            mat = session._ncnn.Mat(contiguous).clone()
            if session._extractor(id(self)).input(name, mat) != 0:
                raise NcnnParamError(f"{session._name} has no input '{name}'")
        return self

    def fetch(self, outputs: Iterable[str]) -> dict[str, NDArray[Any]]:
        """Copies of blobs; one without numbers is an array of size 0.

        Raises:
            NcnnParamError: ncnn cannot compute one, or the net is closed.
        """
        return {name: self._look(name, _copy) for name in outputs}

    def shape(self, name: str) -> tuple[int, ...]:
        """The sizes of a blob as numpy orders them; it is computed and not copied.

        Raises:
            NcnnParamError: ncnn cannot compute it, or the net is closed.
        """
        return self._look(name, _shape)

    def _look(self, name: str, at: Callable[[Any], _Seen]) -> _Seen:
        """What is seen of a blob. No ``Mat`` outlives this call, for it lies in a pool of the session."""
        status, mat = self._session._extractor(id(self)).extract(name)
        if status != 0 or min(mat.w, mat.h, mat.d, mat.c) < 0:  # too small an input gives such sizes
            del mat  # a traceback would keep it
            raise NcnnParamError(
                f"ncnn cannot compute '{name}' of {self._session._name}",
                hint="do the inputs have the sizes that the net wants, the width last and no batch axis?",
            )
        return at(mat)


def _shape(mat: Any) -> tuple[int, ...]:
    if mat.empty():
        return (0,)
    sizes = (mat.c, mat.d, mat.h, mat.w)
    return {1: sizes[3:], 2: sizes[2:], 3: (mat.c, mat.h, mat.w)}.get(mat.dims, sizes)


def _copy(mat: Any) -> NDArray[Any]:
    # an empty one numpy would read from nowhere
    return np.zeros(0, np.float32) if mat.empty() else np.array(mat)
