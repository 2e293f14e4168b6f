"""The child process of ``runtime.torchscript``: reads an order from stdin and writes an ``.npz`` file.

The arrays in both ``.npz`` files are named ``CALL.NUMBER``, counted from 0. Inputs that a call lacks are
outputs of the call before, as ``feeds`` says.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from ncnnparam.runtime.limits import limit_memory
from ncnnparam.runtime.recorded import Recorded


def main() -> None:
    """Carries out one order."""
    order = json.load(sys.stdin)
    limit_memory(order["memory"])
    import numpy as np
    import torch

    from ncnnparam.runtime.traced import TracedModule

    torch.manual_seed(0)
    torch.set_num_threads(1)
    module = TracedModule(
        order["module"], [Recorded(tuple(shape), dtype) for shape, dtype in order["inputs"]]
    )
    feeds = {int(number): output for number, output in order["feeds"].items()}
    results: dict[str, Any] = {}
    outputs: list[Any] = []
    with np.load(order["arrays"], allow_pickle=False) as arrays:
        for call in range(order["calls"]):
            fed = {number: outputs[feeds[number]] for number in feeds if call}
            fed |= {
                int(number): arrays[name]
                for name, (of, number) in ((name, name.split(".")) for name in arrays.files)
                if int(of) == call
            }
            outputs = module([fed[number] for number in sorted(fed)])
            results |= {f"{call}.{number}": array for number, array in enumerate(outputs)}
    np.savez(order["result"], **results)


if __name__ == "__main__":
    main()
