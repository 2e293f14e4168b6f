"""Benchmark of the default passes against parsing, on models of yours or on a synthetic encoder.

    python tools/bench/bench_passes.py
    python tools/bench/bench_passes.py encoder.ncnn.param --rounds 10

Parsing and optimising run in turns in one process; trust the ratio, not the milliseconds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measure import Row, in_turns, report

from ncnnparam.graph import graph_from_syntax
from ncnnparam.model import Model
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
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        models = options.models
        if not models:
            models = [Path(folder, "large.param")]
            make_pair(
                [str(models[0]), str(models[0].with_suffix(".bin")), "--megabytes", "20", "--width", "32"]
            )
        report((row for model in models for row in rows(model, options.rounds)), options.json)


def rows(path: Path, rounds: int) -> Iterator[Row]:
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
    name = path.name
    yield Row(name, f"parsing {graph.layer_count} layers", taken["parse"] * 1e3, "ms")
    yield Row(name, "all default passes", taken["optimize"] * 1e3, "ms")
    yield Row(name, "passes / parsing", taken["optimize"] / taken["parse"], "x")


if __name__ == "__main__":
    main()
