"""Loads graphs with the real ncnn, text or binary, and their weights from a reader that counts.

As a script, reads one JSON object a line, ``{"path", "types"}``, and answers each with one line; every load
happens in a forked child, so a crash of ncnn hurts nobody.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..oracle.served import Served
from ..oracle.sources import ROOT


@dataclass(frozen=True)
class Load:
    """What ncnn did with a file: return values, links as numbers of blobs, and bytes of weights read."""

    rc: int | None
    weights_rc: int | None
    layers: list[Any]
    reads: list[int]


class Loader(Served):
    """A running ncnn; use as a context manager."""

    def __init__(self) -> None:
        super().__init__("-m", "tests.binparam.loader", stderr=subprocess.DEVNULL, cwd=ROOT)

    def load(self, path: Path, types: list[str]) -> Load:
        """Loads a ``.param`` or ``.param.bin`` with empty layers for these types, in this order."""
        return Load(**self.ask(path=str(path), types=types))


def main() -> None:
    """Answers requests until stdin ends."""
    for request in sys.stdin:
        job = json.loads(request)
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read_end)
            try:
                answer = _load(job["path"], job["types"])
                os.write(write_end, json.dumps(answer).encode())
            finally:
                os._exit(0)  # a Net whose load failed cannot be destroyed
        os.close(write_end)
        with os.fdopen(read_end, "rb") as pipe:
            result = pipe.read()
        os.waitpid(child, 0)
        print((result or json.dumps(_died()).encode()).decode(), flush=True)


def _died() -> dict[str, Any]:
    return {"rc": None, "weights_rc": None, "layers": [], "reads": []}


def _load(path: str, types: list[str]) -> dict[str, Any]:
    import ncnn

    from ..ops.counting_server import CountingReader

    net = ncnn.Net()
    net.opt.num_threads = 1
    kept: list[Any] = [net]

    def new_layer() -> Any:
        kept.append(ncnn.Layer())
        return kept[-1]

    for name in types:
        net.register_custom_layer(name, new_layer, lambda layer: None)
    load = net.load_param_bin if path.endswith(".param.bin") else net.load_param
    found = {**_died(), "rc": load(path)}
    if found["rc"] == 0:
        notes = memoryview(bytearray(1 << 20)).cast("q")
        found["layers"] = [[layer.typeindex, layer.bottoms, layer.tops] for layer in net.layers()]
        found["weights_rc"] = net.load_model(CountingReader(0, notes))
        found["reads"] = notes[3 : 3 + notes[0]].tolist()
    return found


if __name__ == "__main__":
    main()
