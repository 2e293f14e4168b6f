"""The child process of ``runtime.torchscript``: reads an order from stdin and writes an ``.npz`` file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any


def main() -> None:
    """Carries out one order."""
    order = json.load(sys.stdin)
    import numpy as np
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(1)
    load: Any = torch.jit.load
    module = load(order["module"], map_location="cpu").eval()
    inputs = [torch.rand(shape) for shape in order["shapes"]]
    arrays = {f"in{index}": x.numpy().copy() for index, x in enumerate(inputs)}
    with torch.no_grad():
        given = module(*inputs)
    arrays |= {f"out{index}": x.float().numpy() for index, x in enumerate(_tensors(given, torch.Tensor))}
    np.savez(order["result"], **arrays)


def _tensors(given: Any, kind: type) -> Iterator[Any]:
    """The tensors of a result, in ncnn's order: tuples and lists unfolded."""
    if isinstance(given, kind):
        yield given
    else:
        for part in given:
            yield from _tensors(part, kind)


if __name__ == "__main__":
    main()
