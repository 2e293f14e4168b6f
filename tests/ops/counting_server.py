"""Asks the real ncnn which bytes it wants of a ``.bin`` file: one layer a request, each in its own child.

Run as a script. Reads one JSON object a line, ``{"line": "ReLU x 1 1 in out ...", "tag": 0}``, and answers
each with ``{"accepted", "loaded", "signal", "reads", "messages"}``: whether ``load_param`` and ``load_model``
gave 0, and the sizes of the reads in order. Every read of 4 bytes is answered with the tag, all others with
zeros: the tag of an array is read by itself, and so small a number does no harm as a weight. The sizes are
kept in shared memory, so they survive a crash of the layer.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import resource
import signal
import sys
from typing import Any

import ncnn

MEMORY_LIMIT = 4 << 30  # bytes of address space of one load
LARGEST_READ = 64 << 20  # bytes; more is refused, so that absurd sizes take no time
SECONDS = 10
_SLOTS = 512  # the first for the number of reads, the second and third for what the loader said
_TAG = 4

_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype = ctypes.c_void_p
_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]


class CountingReader(ncnn.DataReader):
    """Notes the size of each read and gives tags and zeros."""

    def __init__(self, tag: int, notes: memoryview) -> None:
        super().__init__()
        self.tag = tag.to_bytes(_TAG, "little")
        self.notes = notes

    def read(self, buffer: Any, size: int) -> int:
        if size > LARGEST_READ:
            return 0
        address = _pointer(buffer, None)
        ctypes.memset(address, 0, size)
        if size == _TAG:
            ctypes.memmove(address, self.tag, _TAG)
        self.notes[0] += 1
        self.notes[2 + self.notes[0]] = size
        return size

    def reference(self, size: int, buffer: Any) -> int:
        return 0


def main() -> None:
    """Answer requests until stdin ends."""
    log = os.memfd_create("ncnn-messages")
    notes = memoryview(mmap.mmap(-1, 8 * _SLOTS)).cast("q")
    for request in sys.stdin:
        job = json.loads(request)
        os.ftruncate(log, 0)
        os.lseek(log, 0, os.SEEK_SET)
        notes[0], notes[1], notes[2] = 0, -1, -1
        child = os.fork()
        if child == 0:
            _child(job, log, notes)
        status = os.waitpid(child, 0)[1]
        answer = {
            "accepted": notes[1] == 0,
            "loaded": notes[2] == 0,
            "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
            "reads": notes[3 : 3 + notes[0]].tolist(),
            "messages": os.pread(log, 1 << 16, 0).decode("utf-8", "backslashreplace").splitlines(),
        }
        print(json.dumps(answer), flush=True)


def _child(job: dict[str, Any], log: int, notes: memoryview) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(SECONDS)
    os.dup2(log, 2)
    net = ncnn.Net()
    net.opt.num_threads = 1
    inputs = _inputs(job["line"])
    lines = [f"Input {name} 0 1 {name}" for name in inputs] + [job["line"]]
    try:
        notes[1] = net.load_param_mem(f"7767517\n{len(lines)} {len(inputs) + 8}\n" + "\n".join(lines) + "\n")
        if notes[1] == 0:
            notes[2] = net.load_model(CountingReader(job["tag"], notes))
    finally:  # a Net whose load failed cannot be destroyed, and ncnn lets std::bad_alloc out
        os._exit(0)


def _inputs(line: str) -> list[str]:
    words = line.split()
    return words[4 : 4 + int(words[2])]


if __name__ == "__main__":
    main()
