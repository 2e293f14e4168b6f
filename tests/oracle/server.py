"""Loads ``.param`` files with the real ncnn, each in a process of its own.

Run as a script. Reads one JSON object a line, ``{"path", "blank", "seconds"}``, and answers each with one
line: ``{"rc", "signal", "error", "messages", "layers"}``. Every load happens in a forked child with limits on
its time and memory, which leaves by ``os._exit``: a crash, an endless loop or a ``Net`` that must not be
destroyed hurts nobody, and a fork costs a millisecond where a new interpreter would cost a hundred.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import sys
from typing import Any

import ncnn

MEMORY_LIMIT = 4 << 30
"""Bytes of address space of one load; ncnn needs less than 1 GiB for any file of the corpus."""

_UNKNOWN_TYPE = re.compile(rb"^layer (\S+) not exists or registered$", re.MULTILINE)
_MOST_MESSAGES = 1 << 20  # bytes
_PARAM_IDS = range(32)
_INT, _FLOAT, _STRING = 2, 3, 7  # ParamDict::type; the rest but 0 are arrays


class Probe(ncnn.Layer):
    """A layer that accepts any params and remembers what ncnn read."""

    def load_param(self, pd: Any) -> int:
        self.params = {id: _value(pd, id) for id in _PARAM_IDS if pd.type(id)}
        return 0


def _value(pd: Any, id: int) -> list[Any]:
    """One param as [kind, value]; arrays as the hexadecimal bytes of their 32-bit elements."""
    kind = pd.type(id)
    if kind == _INT:
        return ["int", pd.get(id, 0)]
    if kind == _FLOAT:
        return ["float", pd.get(id, 0.0)]
    if kind == _STRING:
        return ["string", None]  # the Python binding cannot read strings
    return ["array", bytes(memoryview(pd.get(id, ncnn.Mat()))).hex() if pd.get(id, ncnn.Mat()).w else ""]


def main() -> None:
    """Answer requests until stdin ends."""
    log = os.memfd_create("ncnn-messages")
    for request in sys.stdin:
        job = json.loads(request)
        os.ftruncate(log, 0)
        os.lseek(log, 0, os.SEEK_SET)
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read_end)
            _child(job, log, write_end)
        os.close(write_end)
        with os.fdopen(read_end, "rb") as pipe:
            result = pipe.read()
        status = os.waitpid(child, 0)[1]
        answer = json.loads(result or b"{}")
        answer["signal"] = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        answer["messages"] = os.pread(log, _MOST_MESSAGES, 0).decode("utf-8", "backslashreplace").splitlines()
        print(json.dumps(answer), flush=True)


def _child(job: dict[str, Any], log: int, out: int) -> None:
    """Load the file, write the result as JSON to ``out`` and leave."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(job["seconds"])
    os.dup2(log, 2)
    try:
        result = _load(job["path"], log, blank=job["blank"])
    except Exception as error:
        result = {"error": repr(error)}
    with os.fdopen(out, "w") as pipe:
        json.dump(result, pipe)
    os._exit(0)


def _load(path: str, log: int, *, blank: bool) -> dict[str, Any]:
    """Load with all unknown types (``blank``: with all types) registered as empty layers."""
    types = _builtin_types_in(path) if blank else []
    kept: list[
        Any
    ] = []  # ncnn holds bare pointers to our layers, and a net may not be destroyed after a failed load
    while True:
        os.ftruncate(log, 0)
        os.lseek(log, 0, os.SEEK_SET)
        net = ncnn.Net()
        probes: list[Probe] = []
        kept += [net, probes]

        def new_layer(probes: list[Probe] = probes) -> Probe:
            probes.append(Probe())
            return probes[-1]

        for name in types:
            net.register_custom_layer(name, new_layer, lambda layer: None)
        rc = net.load_param(path)
        unknown = _UNKNOWN_TYPE.search(os.pread(log, _MOST_MESSAGES, 0))
        if not (rc and unknown and unknown[1] not in types):
            return {"rc": rc, "layers": _layers(net, probes) if rc == 0 and blank else None}
        types.append(unknown[1])


def _builtin_types_in(path: str) -> list[bytes]:
    """The words of the file that ncnn knows as layer types."""
    with open(path, "rb") as file:
        words = set(file.read().split())
    return [word for word in sorted(words) if word.isalnum() and ncnn.layer_to_index(word) != -1]


def _layers(net: Any, probes: list[Probe]) -> list[Any] | None:
    """What ncnn read: [type, name, inputs, outputs, params] of each layer; None if a name is not UTF-8."""
    try:
        names = [blob.name for blob in net.blobs()]
        return [
            [
                probe.type,
                probe.name,
                [names[i] for i in probe.bottoms],
                [names[i] for i in probe.tops],
                probe.params,
            ]
            for probe in probes
        ]
    except UnicodeDecodeError:
        return None


if __name__ == "__main__":
    main()
