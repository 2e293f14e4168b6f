"""The child process of ``speech.torchscript``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ncnnparam.speech.child import Hear, serve
from ncnnparam.speech.heard import Heard
from ncnnparam.speech.metadata import from_params
from ncnnparam.speech.methods import start_search
from ncnnparam.speech.script_nets import ScriptNets
from ncnnparam.speech.stream import Stream, listen
from ncnnparam.speech.streaming import streaming

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def prepare(order: Mapping[str, Any]) -> Hear:
    """Loads the modules that an order asks for."""
    import torch

    torch.set_num_threads(order["threads"])
    params = {key: tuple(value) if isinstance(value, list) else value for key, value in order["metadata"]}
    nets = ScriptNets(order["files"], streaming(from_params(params)))
    words = dict(order["words"])

    def begin() -> Stream:
        return Stream(nets, start_search(nets, order["method"], order["beam"]), words)

    def hear(name: str, samples: NDArray[np.float32]) -> Heard:
        return listen(begin, name, samples, tail=order["tail"])

    return hear


if __name__ == "__main__":
    serve(prepare)
