"""Runs models on the real ncnn, each in a fork of one process: a script, and the client that starts it.

A fork costs a few milliseconds, a new interpreter with numpy and ncnn some hundred. The script reads a JSON
object a line and answers each with one; a model that crashes ncnn takes only its fork along.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ncnnparam import Model, save

SECONDS = 20
"""After so long a model is taken for hanging."""


class NetServer:
    """The client; use it in a ``with``."""

    def __enter__(self) -> NetServer:
        self._folder = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.passes.net_server"],
            cwd=Path(__file__).parent.parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate()
        self._folder.cleanup()

    def run(
        self, model: Model, inputs: Mapping[str, Any], outputs: Sequence[str]
    ) -> dict[str, np.ndarray[Any, Any]] | None:
        """The outputs of a model, or None if ncnn cannot compute them."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        paths = {name: str(Path(self._folder.name, name)) for name in ("param", "bin", "in.npz", "out.npz")}
        save(model, paths["param"], paths["bin"])
        np.savez(paths["in.npz"], **inputs)
        print(json.dumps({**paths, "outputs": list(outputs)}), file=self._process.stdin, flush=True)
        if not json.loads(self._process.stdout.readline()):
            return None
        with np.load(paths["out.npz"]) as found:
            return dict(found)


def main() -> None:
    """Answers requests until stdin ends: whether the outputs were computed."""
    import ncnn

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _run(ncnn, json.loads(line))
        print(json.dumps(os.waitpid(child, 0)[1] == 0), flush=True)


def _run(ncnn: Any, job: dict[str, Any]) -> None:
    """Runs a model and leaves; a net that was not loaded may not be destroyed."""
    import signal

    signal.alarm(SECONDS)
    net = ncnn.Net()
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.num_threads = 1
    if net.load_param(job["param"]) or net.load_model(job["bin"]):
        os._exit(1)
    extractor = net.create_extractor()
    with np.load(job["in.npz"]) as arrays:
        for name, array in arrays.items():
            extractor.input(name, ncnn.Mat(np.ascontiguousarray(array)).clone())
    found = {}
    for name in job["outputs"]:
        status, mat = extractor.extract(name)
        if status:
            os._exit(1)
        found[name] = np.array(mat)
    np.savez(job["out.npz"], **found)
    os._exit(0)


if __name__ == "__main__":
    main()
