"""Benchmarks of the core: text to graph and back, single edits, growth with size, the commands' start.

    python tools/bench/bench_core.py encoder.ncnn.param
    python tools/bench/bench_core.py encoder.ncnn.param --only parse --rounds 100 --json

What is compared runs in turns, round by round, so that a busy machine slows all of it alike: trust the
ratios, not the milliseconds. Needs the ``ncnn`` package. SherpaMetaData is left out of the file that is
measured, as plain ncnn refuses it. The sections:

parse     text to graph against ``ncnn.Net.load_param`` on the same file, and graph to text
linear    time and memory per layer at 10,000, 50,000 and 200,000 generated layers
edits     single edits of a graph of 100,000 layers: median and worst
commands  wall time of whole commands against a bare import of what they need
"""

from __future__ import annotations

import gc
import random
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import ncnn
from measure import Action, Row, in_turns, options_of, report

from ncnnparam.graph import Blob, Layer, graph_from_syntax, graph_to_syntax
from ncnnparam.model import dumps, loads
from ncnnparam.syntax import params, parse, unparse

SIZES = (10_000, 50_000, 200_000)
EDITED_LAYERS = 100_000
EDITS = 300


def main() -> None:
    parser = options_of("bench_core.py", __doc__, SECTIONS, rounds=30)
    parser.add_argument("param", type=Path, help="the .param file for parse and commands")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.param"
        plain.write_text(without_metadata(options.param.read_text(encoding="utf-8")), encoding="utf-8")
        chosen = options.only or SECTIONS
        report((row for name in chosen for row in SECTIONS[name](plain, options.rounds)), options.json)


def without_metadata(text: str) -> str:
    """The text of a model that plain ncnn loads."""
    model = loads(text)
    for layer in model.graph.find("SherpaMetaData"):
        model.graph.remove(layer)
    return dumps(model)


# ---- parse -------------------------------------------------------------------------------------------


def bench_parse(path: Path, rounds: int) -> Iterator[Row]:
    text = path.read_text(encoding="utf-8")
    tree = parse(text)
    graph = graph_from_syntax(tree)
    changed = graph_from_syntax(tree)
    for layer in changed:
        layer.name = f"{layer.name}_"

    def load_in_ncnn() -> None:
        if ncnn.Net().load_param(str(path)) != 0:
            raise SystemExit(f"ncnn cannot load {path}")

    def cold() -> None:
        params.read_params.cache_clear()
        params._read_param.cache_clear()
        graph_from_syntax(parse(text))

    taken = in_turns(
        {
            "ncnn.Net.load_param": load_in_ncnn,
            "text to graph": lambda: graph_from_syntax(parse(text)),
            "text to graph, params never seen before": cold,
            "  text to tree": lambda: parse(text),
            "  tree to graph": lambda: graph_from_syntax(tree),
            "graph to text": lambda: unparse(graph_to_syntax(graph)),
            "graph to text, every layer changed": lambda: unparse(graph_to_syntax(changed)),
        },
        rounds,
    )
    for name, seconds in taken.items():
        yield Row("parse", name, seconds * 1e3, "ms")
    theirs, ours = taken["ncnn.Net.load_param"], taken["text to graph"]
    yield Row("parse", "text to graph / ncnn", ours / theirs, "x")
    cold_time = taken["text to graph, params never seen before"]
    yield Row("parse", "text to graph, params never seen before / ncnn", cold_time / theirs, "x")
    for name in ("graph to text", "graph to text, every layer changed"):
        yield Row("parse", f"{name} / text to graph", taken[name] / ours, "x")


# ---- linear ------------------------------------------------------------------------------------------


def generated(layers: int) -> str:
    """A file like a long residual network, with as many different params as a real one of that size."""
    lines = ["Input                    in0                      0 1 0"]
    while len(lines) < layers:
        block, blob = len(lines) // 4, 4 * (len(lines) // 4)
        size = 64 + block % 97
        conv = f"0={size} 1=3 4=1 5=1 6={size * 9}"
        lines += [
            f"Split                    splitncnn_{block:<14} 1 2 {blob} {blob + 1} {blob + 2}",
            f"Convolution              conv_{block:<19} 1 1 {blob + 1} {blob + 3} {conv}",
            f"BinaryOp                 add_{block:<20} 2 1 {blob + 3} {blob + 2} b{block} 0=0",
            f"ReLU                     relu_{block:<19} 1 1 b{block} {blob + 4} 0={block % 7}.0e-01",
        ]
    blobs = sum(int(line.split()[3]) for line in lines)
    return f"7767517\n{len(lines)} {blobs}\n" + "\n".join(lines) + "\n"


def bench_linear(_: Path, rounds: int) -> Iterator[Row]:
    texts = {size: generated(size) for size in SIZES}
    repeats = max(2, rounds // 10)
    read = in_turns({str(size): partial(loads, text) for size, text in texts.items()}, repeats)
    for size in SIZES:
        yield Row("linear", f"text to graph, {size:,} layers, per layer", read[str(size)] / size * 1e6, "us")
    yield Row("linear", "  the largest / the smallest", ratio(read), "x")
    models = {size: loads(text) for size, text in texts.items()}
    write = in_turns({str(size): partial(dumps, model) for size, model in models.items()}, repeats)
    for size in SIZES:
        yield Row("linear", f"graph to text, {size:,} layers, per layer", write[str(size)] / size * 1e6, "us")
    yield Row("linear", "  the largest / the smallest", ratio(write), "x")
    del models
    for size, text in texts.items():
        gc.collect()
        tracemalloc.start()
        model = loads(text)
        kept, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        del model
        yield Row("linear", f"memory of the graph, {size:,} layers, per layer", kept / size, "bytes")
        yield Row("linear", f"most memory on the way, {size:,} layers, per layer", peak / size, "bytes")


def ratio(seconds: dict[str, float]) -> float:
    """Time per layer at the largest size against that at the smallest."""
    least, most = SIZES[0], SIZES[-1]
    return (seconds[str(most)] / most) / (seconds[str(least)] / least)


# ---- edits -------------------------------------------------------------------------------------------


def bench_edits(_: Path, rounds: int) -> Iterator[Row]:
    graph = loads(generated(EDITED_LAYERS)).graph
    chance = random.Random(1)
    layers = chance.sample(graph.find("ReLU"), 12 * EDITS)

    def some(count: int = EDITS) -> list[Layer]:
        taken, layers[:count] = layers[:count], []
        return taken

    def source(layer: Layer) -> Blob:
        return layer.inputs[0]

    edits: dict[str, Callable[[Layer], object]] = {
        "layer by name": lambda layer: graph.layer(layer.name),
        "blob by name": lambda layer: graph.blob(source(layer).name),
        "param by name": lambda layer: layer.__setitem__("slope", 0.25),
        "add at the end": lambda layer: graph.add("Noop", inputs=(), outputs=1),
        "add a second reader (makes a Split)": lambda layer: graph.add("ReLU", inputs=[source(layer)]),
        "insert after": lambda layer: graph.insert_after(layer, "ReLU", slope=0.1),
        "insert before": lambda layer: graph.insert_before(layer, "ReLU"),
        "insert at the middle": lambda layer: graph.insert_at(len(graph) // 2, "Noop", outputs=0),
        "replace": lambda layer: graph.replace(layer, "Clip", min=0.0, max=6.0),
        "rename layer": lambda layer: setattr(layer, "name", f"{layer.name}_new"),
        "rename blob": lambda layer: setattr(source(layer), "name", f"{source(layer).name}_new"),
        "move": lambda layer: graph.move(layer, after=layer.inputs[0].producer),
        "rewire an input": lambda layer: graph.set_input(layer, 0, "0"),
        "remove": lambda layer: graph.remove(layer),
    }
    for name, edit in edits.items():
        if len(layers) < EDITS:
            layers = chance.sample([layer for layer in graph.find("ReLU") if layer["slope"]], 6 * EDITS)
        times = []
        gc.collect()  # what the edit before has left, or reading the file
        for layer in some():
            began = time.perf_counter()
            edit(layer)
            times.append(time.perf_counter() - began)
        yield Row("edits", f"{name}, median", statistics.median(times) * 1e6, "us")
        yield Row("edits", f"{name}, worst of {EDITS}", max(times) * 1e6, "us")
    check = graph.copy()
    assert loads(dumps(graph)).graph == check, "the edits have left a sound graph"


# ---- commands ----------------------------------------------------------------------------------------


def bench_commands(path: Path, rounds: int) -> Iterator[Row]:
    injected = path.with_name("injected.param")

    def process(*words: str) -> Action:
        def run() -> None:
            done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
            if done.returncode not in (0, 1):
                raise SystemExit(f"{' '.join(words)}: {done.stderr}")

        return run

    base = "python -c 'import lark, click, rich.console'"
    contenders = {
        base: process("-c", "import lark, click, rich.console"),
        "ncnnparam --help": process("-m", "ncnnparam", "--help"),
        "ncnnparam inject-meta --infer": process(
            "-m", "ncnnparam", "inject-meta", str(path), "--infer", "-o", str(injected)
        ),
        "ncnnparam diff": process("-m", "ncnnparam", "diff", str(path), str(injected)),
    }
    taken = in_turns(contenders, max(3, rounds // 3))
    for name, seconds in taken.items():
        yield Row("commands", name, seconds * 1e3, "ms")
    for name, seconds in taken.items():
        if name != base:
            yield Row("commands", f"{name} / the bare import", seconds / taken[base], "x")


SECTIONS: dict[str, Callable[[Path, int], Iterator[Row]]] = {
    "parse": bench_parse,
    "linear": bench_linear,
    "edits": bench_edits,
    "commands": bench_commands,
}

if __name__ == "__main__":
    main()
