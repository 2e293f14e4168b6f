"""Benchmarks of int8: quantize and calibrate, beside the C++ tools if they are named.

    python tools/bench/bench_quantize.py
    python tools/bench/bench_quantize.py --ncnn2int8 ncnn/build/tools/quantize/ncnn2int8
    python tools/bench/bench_quantize.py --only calibrate --generate-table generate-int8-scale-table \\
        --encoder e.param e.bin --decoder d.param d.bin --joiner j.param j.bin --wavs wavs.txt

The tools are those of Tencent/ncnn and k2-fsa/sherpa-ncnn, built elsewhere. What is compared runs in turns,
as commands of their own, with the files in the page cache: trust the ratios, not the milliseconds. Memory is
the most that a process takes. The sections:

quantize  a float32 pair of 296 MB against ncnn2int8; ``--folder`` keeps the pair for the next run
kl        thresholds of 64 histograms of 2,048 bins, all 1,920 thresholds of each
calibrate a transducer on wavs against generate-int8-scale-table, with as many processes as it has threads
compare   memory of comparing a pair of 2 MB with its int8 form, on 2 items and on 40
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from measure import Action, Row, in_turns, most_memory, options_of, report

import ncnnparam as nnp
from ncnnparam.quantize.histogram import BINS
from ncnnparam.quantize.kl import kl_divergences
from ncnnparam.quantize.rows import calibrated_layers, make_table

GENERATOR = Path(__file__).resolve().parent.parent / "make_large_pair.py"
HISTOGRAMS = 64
ITEMS = (2, 40)
ROWS, WIDTH = 64, 32
"""Of each item that is compared."""
INPUT_SCALE = np.float32(16)
"""What every layer's input is scaled by; which number it is does not matter for the time."""


def main() -> None:
    parser = options_of("bench_quantize.py", __doc__, SECTIONS, rounds=5)
    parser.add_argument("--folder", type=Path, help="where the large pair is, or is to be made and kept")
    parser.add_argument("--ncnn2int8", metavar="PROGRAM")
    parser.add_argument("--generate-table", metavar="PROGRAM", help="sherpa-ncnn's generate-int8-scale-table")
    for net in ("encoder", "decoder", "joiner"):
        parser.add_argument(f"--{net}", nargs=2, metavar=("P", "B"))
    parser.add_argument("--wavs", metavar="LIST", help="a list of wavs, one path a line")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    if not options.wavs:
        chosen = options.only or [name for name in SECTIONS if name != "calibrate"]
    else:
        chosen = options.only or SECTIONS
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["PYTHONPYCACHEPREFIX"] = str(
            Path(temporary) / "bytecode"
        )  # as an installed package has it
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        options.temporary = Path(temporary)
        report((row for name in chosen for row in SECTIONS[name](options)), options.json)


def program(*words: object) -> Action:
    """Runs a program; what it prints is dropped."""
    command = [str(word) for word in words]

    def run() -> None:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}: {done.stderr}")

    return run


def ncnnparam(*words: object) -> Action:
    return program(sys.executable, "-m", "ncnnparam", *words)


def beside(section: str, name: str, taken: dict[str, float]) -> Iterator[Row]:
    """Times, and the ratio if there is something to compare with."""
    for contender, seconds in taken.items():
        yield Row(section, contender, seconds * 1e3, "ms")
    if len(taken) > 1:
        ours, tool = taken[name], next(seconds for other, seconds in taken.items() if other != name)
        yield Row(section, "ours / the tool's", ours / tool, "x")


def bench_quantize(options: argparse.Namespace) -> Iterator[Row]:
    folder = options.folder or options.temporary
    folder.mkdir(parents=True, exist_ok=True)
    param, weights, table = folder / "fp32.param", folder / "fp32.bin", folder / "fp32.table"
    if not weights.exists():
        program(sys.executable, GENERATOR, param, weights)()
    graph = nnp.load(param, weights).graph
    make_table(graph, {layer.name: INPUT_SCALE for layer in calibrated_layers(graph)}).save(table)
    out = options.temporary
    words = ("quantize", param, weights, out / "q.param", out / "q.bin", "--table", table)
    contenders = {"quantize": ncnnparam(*words)}
    if options.ncnn2int8:
        tool = (options.ncnn2int8, param, weights, out / "t.param", out / "t.bin", table)
        contenders["ncnn2int8"] = program(*tool)
    yield from beside("quantize", "quantize", in_turns(contenders, options.rounds))
    ours = most_memory(sys.executable, "-m", "ncnnparam", *map(str, words))
    yield Row("quantize", "memory of quantize", ours, "MB")
    if options.ncnn2int8:
        its = most_memory(*map(str, tool))
        yield Row("quantize", "memory of ncnn2int8", its, "MB")
        yield Row("quantize", "memory, ours / the tool's", ours / its, "x")


def bench_kl(options: argparse.Namespace) -> Iterator[Row]:
    random = np.random.default_rng(0)
    counts = [np.histogram(np.abs(random.normal(size=100_000)), BINS)[0] for _ in range(HISTOGRAMS)]
    histograms = [one.astype(np.float64) for one in counts]
    taken = in_turns({"kl": lambda: [kl_divergences(one) for one in histograms]}, options.rounds)
    yield Row("kl", "search for one layer", taken["kl"] / HISTOGRAMS * 1e3, "ms")


def bench_calibrate(options: argparse.Namespace) -> Iterator[Row]:
    nets = {name: getattr(options, name) for name in ("encoder", "decoder", "joiner")}
    if not all(nets.values()):
        raise SystemExit("calibrate needs --encoder, --decoder, --joiner and --wavs")
    out = options.temporary
    words: list[object] = ["calibrate", "--wavs", options.wavs, "-j", options.jobs]
    for name, pair in nets.items():
        words += [f"--{name}", *pair]
    words += ["--encoder-table", out / "e.table", "--joiner-table", out / "j.table"]
    contenders = {"calibrate": ncnnparam(*words)}
    if options.generate_table:
        files = [file for pair in nets.values() for file in pair]
        tables = (out / "te.table", out / "tj.table")
        contenders["generate-int8-scale-table"] = program(
            options.generate_table, *files, *tables, options.wavs
        )
    yield from beside("calibrate", "calibrate", in_turns(contenders, options.rounds))


def bench_compare(options: argparse.Namespace) -> Iterator[Row]:
    folder = options.temporary / "compare"
    items = folder / "items"
    items.mkdir(parents=True)
    random = np.random.default_rng(0)
    for number in range(max(ITEMS)):
        np.save(items / f"{number}.npy", random.normal(size=(ROWS, WIDTH)).astype(np.float32))
    pairs = [(folder / f"{name}.param", folder / f"{name}.bin") for name in ("fp32", "int8")]
    for pair, more in zip(pairs, ((), ("--int8",)), strict=True):
        program(sys.executable, GENERATOR, *pair, "--megabytes", 2, "--width", WIDTH, *more)()
    memory = []
    for count in ITEMS:
        chosen = folder / "items.txt"
        chosen.write_text("".join(f"{items / f'{number}.npy'}\n" for number in range(count)))
        words = ("compare", *pairs[0], *pairs[1], "--npy", chosen)
        memory.append(most_memory(sys.executable, "-m", "ncnnparam", *map(str, words)))
        yield Row("compare", f"memory with {count} items", memory[-1], "MB")
    yield Row("compare", "memory, many items / few", memory[1] / memory[0], "x")


SECTIONS: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "quantize": bench_quantize,
    "kl": bench_kl,
    "calibrate": bench_calibrate,
    "compare": bench_compare,
}

if __name__ == "__main__":
    main()
