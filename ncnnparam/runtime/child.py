"""The child process of ``runtime.net``: reads an order from stdin, answers with one line of JSON.

What has to be minded with the Python module of ncnn: a ``Mat`` made from an array does not keep the array
alive, and may be written to by layers that work in place, so each one is cloned; a net keeps only bare
pointers to Python layers, so they are kept in a list until the net is cleared.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from ncnnparam.runtime.limits import limit_memory


def main() -> None:
    """Carries out one order."""
    order = json.load(sys.stdin)
    limit_memory(order["memory"])
    import ncnn

    layers: list[Any] = []
    net = ncnn.Net()
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_storage = False
    net.opt.num_threads = 1
    if order["custom_types"]:
        from ncnnparam.runtime.custom_layers import layer_classes

        known = layer_classes(ncnn)
        for name in order["custom_types"]:
            made = known.get(name, ncnn.Layer)
            net.register_custom_layer(name, lambda made=made: _keep(made(), layers), lambda layer: None)
    try:
        answer = _measure(ncnn, net, order) if order["zeros"] is not None else _work(ncnn, net, order)
        answer["version"] = ncnn.__version__
        print(json.dumps(answer), flush=True)
    finally:
        net.clear()


def _work(ncnn: Any, net: Any, order: dict[str, Any]) -> dict[str, Any]:
    problem = _load(net, order)
    for run in order["runs"]:
        problem = problem or _run(ncnn, net, run)
    return {"problem": problem}


def _measure(ncnn: Any, net: Any, order: dict[str, Any]) -> dict[str, Any]:
    from ncnnparam.runtime import measure

    if net.load_param(order["param"]) != 0:
        return {"problem": f"ncnn refuses {order['param']}"}
    if net.load_model(measure.zeros(ncnn)) != 0:
        return {"problem": f"ncnn cannot set up the layers of {order['param']}"}
    return {"problem": "", **measure.shapes(ncnn, net, order["zeros"])}


def _load(net: Any, order: dict[str, Any]) -> str:
    if net.load_param(order["param"]) != 0:
        return f"ncnn refuses {order['param']}"
    if order["weights"] is not None and net.load_model(order["weights"]) != 0:
        return f"ncnn refuses {order['weights']}"
    return ""


def _run(ncnn: Any, net: Any, run: dict[str, Any]) -> str:
    import numpy as np

    extractor = net.create_extractor()
    with np.load(run["inputs"], allow_pickle=False) as arrays:
        for name, array in arrays.items():
            contiguous = np.ascontiguousarray(array)
            if extractor.input(name, ncnn.Mat(contiguous).clone()) != 0:
                return f"ncnn has no input '{name}'"
    found: dict[str, Any] = {}
    for name in run["outputs"]:
        status, mat = extractor.extract(name)
        if status != 0:
            return f"ncnn cannot compute '{name}'"
        # an empty one numpy would read from nowhere
        found[name] = np.zeros(0, np.float32) if mat.empty() else np.array(mat)
    np.savez(run["result"], **found)
    return ""


def _keep(layer: Any, layers: list[Any]) -> Any:
    layers.append(layer)
    return layer


if __name__ == "__main__":
    main()
