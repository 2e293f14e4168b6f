"""What PyTorch and ncnn compute, side by side: a TorchScript file and the net that was made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from ncnnparam.errors import BadItemError, ConfigError
from ncnnparam.model import load
from ncnnparam.quantize.accuracy import Accuracy, run_item
from ncnnparam.quantize.accuracy_sums import Sums
from ncnnparam.quantize.data import Items, array_items
from ncnnparam.quantize.guard import guard_of
from ncnnparam.runtime.recorded import Recorded, recorded_inputs
from ncnnparam.runtime.session import Session, custom_types, require_sound
from ncnnparam.runtime.torchscript import run_torchscript, without_batch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.quantize.data import Inputs, Item
    from ncnnparam.quantize.runners import Pair

RANDOM_ITEMS = 3
"""How many items of random numbers there are where no data is given."""
_AT_ONCE = 16
"""Items that PyTorch runs before their outputs are compared."""


def random_items(script: str, inputs: Sequence[str]) -> Items:
    """Items of numbers between 0 and 1, in the shapes with which a module was traced.

    Args:
        script: The TorchScript file.
        inputs: Names of the net's inputs: ``in0`` is the module's first one.

    Raises:
        ConfigError: It does not say which shapes, or an input is not made of floats.
        FileError: It cannot be read.
    """
    recorded = recorded_inputs(script)
    if recorded is None:
        raise ConfigError(f"{script} does not tell the shapes of its inputs", hint="give data with --npy")
    numbers = [_number(name) for name in inputs]
    if any(number >= len(recorded) or not recorded[number].dtype.startswith("float") for number in numbers):
        raise ConfigError(
            f"an input of {script} is not made of floats, for which any number may not do",
            hint="give data with --npy",
        )
    random = np.random.default_rng(0)
    return array_items(
        {
            name: without_batch(random.random(recorded[number].shape, np.float32))
            for name, number in zip(inputs, numbers, strict=True)
        }
        for _ in range(RANDOM_ITEMS)
    )


def compare_script(
    script: str,
    second: Pair,
    items: Sequence[Item],
    *,
    advance: Callable[[int], None] | None = None,
) -> Accuracy:
    """Runs a TorchScript file and a net on the same items and compares their outputs, ``out0`` and so on.

    PyTorch runs in a child process. Its batch axes count for nothing.

    Args:
        script: The TorchScript file, which is right.
        second: ``.param`` and ``.bin`` of the net.
        items: What to run them on.
        advance: Is called after each item with 1.

    Raises:
        BadItemError: There is no item, or one cannot be run.
        ConfigError: The net has inputs or outputs that no module has.
        FileError: PyTorch cannot run the file.
        NcnnParamError: ncnn cannot load the net, or PyTorch is not installed.
    """
    if not items:
        raise BadItemError("there is nothing to run the models on")
    graph = load(*second).graph
    types = custom_types(graph)
    require_sound(*second, types)
    names = [blob.name for blob in graph.outputs if blob not in graph.inputs]
    recorded = recorded_inputs(script)
    sums = {name: Sums() for name in names}
    net, guard = Session(*second, types), guard_of(graph, names)

    def compare(given: list[NDArray[Any]], inputs: Inputs) -> None:
        for name, found in guard.start(net, inputs).fetch(names).items():
            sums[name].add(_as_shaped(_output(script, given, name), found), found)

    try:
        for item, given in _torch_outputs(script, recorded, items):
            run_item(item, partial(compare, given))
            if advance is not None:
                advance(1)
    finally:
        net.close()
    return Accuracy((), {name: one.distance for name, one in sums.items()}, ((), ()))


def _torch_outputs(
    script: str, recorded: list[Recorded] | None, items: Sequence[Item]
) -> Iterator[tuple[Item, list[NDArray[Any]]]]:
    """Each item with the module's outputs; a child process serves several items."""
    left = iter(items)
    while some := list(islice(left, _AT_ONCE)):
        calls = [{_number(name): array for name, array in item.load().items()} for item in some]
        wanted = recorded or [
            Recorded((1, *calls[0][number].shape), calls[0][number].dtype.name) for number in sorted(calls[0])
        ]
        yield from zip(some, run_torchscript(script, wanted, calls), strict=True)


def _output(script: str, given: list[NDArray[Any]], name: str) -> NDArray[Any]:
    number = _number(name, "out")
    if number >= len(given):
        raise ConfigError(f"{script} gives {len(given)} outputs, and none for '{name}'")
    return given[number]


def _as_shaped(given: NDArray[Any], found: NDArray[Any]) -> NDArray[Any]:
    return given.reshape(found.shape) if given.size == found.size else given


def _number(name: str, kind: str = "in") -> int:
    digits = name.removeprefix(kind)
    if not name.startswith(kind) or not (digits.isascii() and digits.isdigit()):
        raise ConfigError(
            f"'{name}' is none of {kind}0, {kind}1 and so on, which stand for those of TorchScript"
        )
    return int(digits)
