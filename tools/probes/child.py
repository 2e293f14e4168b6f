"""Answers questions about one ncnn runtime: what it does with a small model.

Run as a script by the Python that the runtime was built for (3.9 or newer), with the ``ncnn`` package on its
path, or with the path of a ``libncnn.so`` as its argument (see ``shared_library.py``). Reads one JSON list of
questions from stdin and writes one JSON list of answers to stdout. Every question is asked in a forked child
with limits on its time and memory, for a loader may crash.

A question is ``{"types": [...]}``, answered by those of the names that the runtime can create, or
``{"param": text, "bin": hex or null, "inputs": {blob: numbers}, "outputs": [blob]}``, answered by
``{"load": code, "model": code or null, "run": code or null, "outputs": [numbers]}``; a question that
killed the child is answered by ``{"signal": number}``.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import tempfile
from typing import Any

MEMORY = 4 << 30
"""Bytes of address space for one question."""
SECONDS = 20
"""Time for one question."""


class Package:
    """The ``ncnn`` package of Python."""

    def __init__(self) -> None:
        import ncnn

        self.ncnn = ncnn

    def types(self, names: list[str]) -> list[str]:
        """Those of the layer types that can be created."""
        return [name for name in names if self.ncnn.create_layer(name) is not None]

    def load(self, param: str, weights: str | None) -> tuple[int, int | None]:
        """What ``load_param`` and ``load_model`` return."""
        self.net = self.ncnn.Net()
        for option in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage", "packing_layout"):
            setattr(self.net.opt, f"use_{option}", False)
        self.net.opt.num_threads = 1
        code = self.net.load_param(param)
        return code, self.net.load_model(weights) if code == 0 and weights else None

    def run(self, inputs: dict[str, Any], outputs: list[str]) -> tuple[int, list[Any]]:
        """The return code of ``extract`` and the blobs as nested lists."""
        import numpy as np

        extractor = self.net.create_extractor()
        for name, numbers in inputs.items():
            # whole numbers are int32, as Embed wants them
            array = np.array(numbers)
            array = array.astype(np.int32 if array.dtype.kind == "i" else np.float32)
            extractor.input(name, self.ncnn.Mat(array).clone())
        found = []
        for name in outputs:
            code, mat = extractor.extract(name)
            if code != 0:
                return code, []
            found.append(np.array(mat).tolist())
        return 0, found


def answer(runtime: Any, question: dict[str, Any], folder: str) -> Any:
    """The answer to one question."""
    if "types" in question:
        return runtime.types(question["types"])
    param, weights = os.path.join(folder, "m.param"), None
    with open(param, "wb") as file:
        file.write(question["param"].encode())
    if question["bin"] is not None:
        weights = os.path.join(folder, "m.bin")
        with open(weights, "wb") as file:
            file.write(bytes.fromhex(question["bin"]))
    load, model = runtime.load(param, weights)
    said: dict[str, Any] = {"load": load, "model": model, "run": None, "outputs": []}
    if load == 0 and not model and question["outputs"]:
        said["run"], said["outputs"] = runtime.run(question["inputs"], question["outputs"])
    return said


def in_child(runtime: Any, question: dict[str, Any], folder: str) -> Any:
    """The answer, given by a child process that may die."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.alarm(SECONDS)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            said = answer(runtime, question, folder)
        except Exception as error:
            said = {"error": repr(error)}
        with os.fdopen(write_end, "w") as pipe:
            json.dump(said, pipe)
        os._exit(0)  # a net whose load failed cannot be destroyed
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        text = pipe.read()
    status = os.waitpid(child, 0)[1]
    return {"signal": os.WTERMSIG(status)} if os.WIFSIGNALED(status) else json.loads(text)


def main() -> None:
    """Answer all questions."""
    if len(sys.argv) > 1:
        from shared_library import SharedLibrary

        runtime: Any = SharedLibrary(sys.argv[1])
    else:
        runtime = Package()
    with tempfile.TemporaryDirectory(prefix="probe-") as folder:
        json.dump([in_child(runtime, question, folder) for question in json.load(sys.stdin)], sys.stdout)


if __name__ == "__main__":
    main()
