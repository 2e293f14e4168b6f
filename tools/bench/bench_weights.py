"""Benchmarks of weights: check, convert and diff of large pairs against ncnn, ``cp`` and numpy.

    python tools/bench/bench_weights.py
    python tools/bench/bench_weights.py --folder pairs --only diff --rounds 10 --json

The pairs are those of ``tools/make_large_pair.py``: 296 MB float32, its float16 and its int8 version. They
are made in a temporary folder, or in ``--folder``, where they stay for the next run. What is compared runs in
turns in one process, with the files in the page cache: trust the ratios, not the milliseconds. Memory is the
most that a process of its own takes. Needs the ``ncnn`` package. The sections:

check     ``check A.param A.bin`` against ``ncnn.Net.load_param`` and ``load_model``
convert   ``convert --storage fp16`` against copying the file and numpy's conversion of the same bytes
diff      ``diff`` of the float16 pair and the int8 pair against numpy, which reads both once
"""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import ncnn
import numpy as np
from measure import Action, Row, in_turns, most_memory, options_of, report

import ncnnparam as nnp
from ncnnparam.cli.main import main as ncnnparam
from ncnnparam.diff import compare
from ncnnparam.diff.weights import compare_weights

GENERATOR = Path(__file__).resolve().parent.parent / "make_large_pair.py"
PAIRS = {"fp32": [], "fp16": ["--storage", "fp16"], "int8": ["--int8"]}

LOAD = """
import ncnn, sys
net = ncnn.Net()
sys.exit(net.load_param(sys.argv[1]) or net.load_model(sys.argv[2]))
"""


def main() -> None:
    parser = options_of("bench_weights.py", __doc__, SECTIONS, rounds=5)
    parser.add_argument("--folder", type=Path, help="where the pairs are, or are to be made and kept")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        make_pairs(folder)
        chosen = options.only or SECTIONS
        report((row for name in chosen for row in SECTIONS[name](folder, options.rounds)), options.json)


def make_pairs(folder: Path) -> None:
    """Makes the pairs that the folder lacks."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, words in PAIRS.items():
        pair = pair_of(folder, name)
        if not all(path.exists() for path in pair):
            made = subprocess.run([sys.executable, GENERATOR, *pair, *words], capture_output=True, text=True)
            if made.returncode:
                raise SystemExit(made.stderr)


def pair_of(folder: Path, name: str) -> list[Path]:
    return [folder / f"{name}.param", folder / f"{name}.bin"]


def command(*words: str | Path) -> Action:
    """Runs a command line in this process; what it prints is dropped."""

    def run() -> None:
        said = io.StringIO()
        printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said):
                ncnnparam([str(word) for word in words])
        except SystemExit as stopped:
            if stopped.code not in (0, 1):
                raise SystemExit(f"{' '.join(map(str, words))}: {said.getvalue()}") from None

    return run


def memory_of(*words: str | Path) -> float:
    return most_memory(sys.executable, "-m", "ncnnparam", *map(str, words))


def bench_check(folder: Path, rounds: int) -> Iterator[Row]:
    param, weights = pair_of(folder, "fp32")

    def load_in_ncnn() -> None:
        net = ncnn.Net()
        if net.load_param(str(param)) != 0 or net.load_model(str(weights)) != 0:
            raise SystemExit(f"ncnn cannot load {param} and {weights}")

    taken = in_turns({"ncnn": load_in_ncnn, "check": command("check", param, weights)}, rounds)
    yield Row("check", "ncnn.Net.load_param and load_model", taken["ncnn"] * 1e3, "ms")
    yield Row("check", "check", taken["check"] * 1e3, "ms")
    yield Row("check", "check / ncnn", taken["check"] / taken["ncnn"], "x")
    yield Row(
        "check", "memory of ncnn", most_memory(sys.executable, "-c", LOAD, str(param), str(weights)), "MB"
    )
    yield Row("check", "memory of check", memory_of("check", param, weights), "MB")


def bench_convert(folder: Path, rounds: int) -> Iterator[Row]:
    param, weights = pair_of(folder, "fp32")
    copy = folder / "copy.bin"
    result = [folder / "result.param", folder / "result.bin"]
    words = ("convert", param, weights, *result, "--storage", "fp16")
    try:
        taken = in_turns(
            {
                "cp": lambda: shutil.copyfile(weights, copy),
                "numpy": lambda: np.fromfile(weights, "<f4").astype("<f2"),
                "convert": command(*words),
            },
            rounds,
        )
        memory = memory_of(*words)
    finally:
        for path in (copy, *result):
            path.unlink(missing_ok=True)
    yield Row("convert", "cp", taken["cp"] * 1e3, "ms")
    yield Row("convert", "numpy: all bytes to float16", taken["numpy"] * 1e3, "ms")
    yield Row("convert", "convert --storage fp16", taken["convert"] * 1e3, "ms")
    yield Row("convert", "convert / (cp + numpy)", taken["convert"] / (taken["cp"] + taken["numpy"]), "x")
    yield Row("convert", "memory of convert", memory, "MB")


def bench_diff(folder: Path, rounds: int) -> Iterator[Row]:
    half, int8 = pair_of(folder, "fp16"), pair_of(folder, "int8")
    words = ("diff", *half, *int8)

    def read_bytes() -> None:
        for _, weights in (half, int8):
            np.fromfile(weights, "u1")

    def read_numbers() -> None:
        np.fromfile(half[1], "<f2").astype("f4")
        np.fromfile(int8[1], "i1").astype("f4")

    models = [nnp.load(*half), nnp.load(*int8)]
    graphs = [model.graph for model in models]
    taken = in_turns(
        {
            "bytes": read_bytes,
            "numbers": read_numbers,
            "graph": lambda: compare(*graphs),
            "weights": lambda: compare_weights(*models),
            "diff": command(*words),
        },
        rounds,
    )
    weights = taken["weights"] - taken["graph"]  # compare_weights aligns and compares the graphs first
    yield Row("diff", "numpy reads both", taken["bytes"] * 1e3, "ms")
    yield Row("diff", "numpy reads both and widens to float32", taken["numbers"] * 1e3, "ms")
    yield Row("diff", "diff of the weights", weights * 1e3, "ms")
    yield Row("diff", "diff of the weights / numpy reads both", weights / taken["bytes"], "x")
    yield Row("diff", "diff, the command with all it does", taken["diff"] * 1e3, "ms")
    yield Row("diff", "diff / numpy reads both", taken["diff"] / taken["bytes"], "x")
    yield Row("diff", "diff / numpy reads both and widens", taken["diff"] / taken["numbers"], "x")
    yield Row("diff", "memory of diff", memory_of(*words), "MB")


SECTIONS: dict[str, Callable[[Path, int], Iterator[Row]]] = {
    "check": bench_check,
    "convert": bench_convert,
    "diff": bench_diff,
}

if __name__ == "__main__":
    main()
