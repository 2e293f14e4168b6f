"""Benchmark of the default passes against parsing, on models of yours or on a synthetic encoder.

    python tools/bench/bench_passes.py
    python tools/bench/bench_passes.py encoder.ncnn.param --rounds 10
    python tools/bench/bench_passes.py det1.param --ncnnoptimize ncnn/build/tools/ncnnoptimize

Contenders run in turns; trust the ratio, not the milliseconds. With ``--ncnnoptimize``, a build of ncnn's
tool, both optimise the pair of the model and the ``.bin`` beside it: as commands, each in a process of its
own, and ours within a running process too. The tool also computes the network where it knows its input.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measure import Row, in_turns, report

from ncnnparam.graph import graph_from_syntax
from ncnnparam.model import Model, load, save
from ncnnparam.passes import PassManager, parse_pipeline
from ncnnparam.syntax import parse, read_text

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from make_large_pair import main as make_pair


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", type=Path, help=".param files; by default one is made")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ncnnoptimize", type=Path, metavar="PATH", help="measure ncnn's tool beside ours")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        models = options.models
        if not models:
            models = [Path(folder, "large.param")]
            make_pair(
                [str(models[0]), str(models[0].with_suffix(".bin")), "--megabytes", "20", "--width", "32"]
            )
        report(_all_rows(models, options.ncnnoptimize, options.rounds, Path(folder)), options.json)


def _all_rows(models: list[Path], tool: Path | None, rounds: int, folder: Path) -> Iterator[Row]:
    for model in models:
        yield from beside_parsing(model, rounds)
        if tool is not None:
            yield from beside_the_tool(model, tool, rounds, folder)


def beside_parsing(path: Path, rounds: int) -> Iterator[Row]:
    """The passes alone, on a graph without weights, against parsing its text."""
    text = read_text(path)
    graph = graph_from_syntax(parse(text))
    manager = PassManager(parse_pipeline("optimize"))
    taken = in_turns(
        {
            "parse": lambda: graph_from_syntax(parse(text)),
            "optimize": lambda: manager(Model(graph)),
        },
        rounds,
    )
    name = path.stem
    yield Row(name, f"parsing {graph.layer_count} layers", taken["parse"] * 1e3, "ms")
    yield Row(name, "all default passes", taken["optimize"] * 1e3, "ms")
    yield Row(name, "passes / parsing", taken["optimize"] / taken["parse"], "x")


def beside_the_tool(path: Path, tool: Path, rounds: int, folder: Path) -> Iterator[Row]:
    """Reading, optimising and writing a pair: ncnn's tool against ours."""
    weights, param, out = path.with_suffix(".bin"), folder / "out.param", folder / "out.bin"
    theirs = [str(tool), str(path), str(weights), str(param), str(out), "0"]
    ours = [sys.executable, "-m", "ncnnparam", "opt", str(path), str(weights), "-o", str(param)]

    def within() -> None:
        report = PassManager(parse_pipeline("optimize"))(load(path, weights))
        save(report.model, param, out)

    taken = in_turns(
        {"tool": lambda: _run(theirs), "command": lambda: _run(ours), "within": within},
        rounds,
    )
    name = path.stem
    yield Row(name, "ncnnoptimize", taken["tool"] * 1e3, "ms")
    yield Row(name, "ncnnparam opt", taken["command"] * 1e3, "ms")
    yield Row(name, "the same within a process", taken["within"] * 1e3, "ms")
    yield Row(name, "ncnnparam opt / ncnnoptimize", taken["command"] / taken["tool"], "x")
    yield Row(name, "within a process / ncnnoptimize", taken["within"] / taken["tool"], "x")


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
