"""Benchmarks of patterns: matching and rewriting graphs of 10,000 to 100,000 layers.

    python tools/bench/bench_patterns.py
    python tools/bench/bench_patterns.py --only match --rounds 10 --json

The graphs are rows of a convolution, a BinaryOp that adds what went into it, and a ReLU, with Splits. What is
compared runs in turns: trust the ratios, not the milliseconds. The sections:

match    looking for a pattern: time per layer, and that at the largest size against that at the smallest
rewrite  applying a rule everywhere, per layer of the graph, and against parsing the graph
hub      a pattern around one blob that all layers read, per layer
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from measure import Row, in_turns, options_of, report

from ncnnparam.model import Model, loads
from ncnnparam.patterns import RuleRewrite, find_matches, parse_pattern, parse_rules

SIZES = (10_000, 30_000, 100_000)

ROW = """
Convolution c 1 1 x y num_output=?n
BinaryOp add 2 1 {y x} s op_type=add
ReLU r 1 1 s z
"""
CHAINS = """
Convolution c 1 1 x y
Noop n* 1 1 y p
BinaryOp add 2 1 {p q} s
ReLU r? 1 1 s z
"""
PATTERNS = {
    "found everywhere": ROW,
    "found nowhere": ROW.replace("add", "mul"),
    "optional and repeated": CHAINS,
    "any type": "* a 1 1 x y slope=0.5",
}
RULE = """
BinaryOp add 2 1 x y s
ReLU r 1 1 s z
=>
BinaryOp add 2 1 y x s **add
Swish swish 1 1 s z
"""
HUB = "ReLU hub 1 1 x y\nSigmoid s 1 1 y z"


def main() -> None:
    options = options_of("bench_patterns.py", __doc__, SECTIONS, rounds=3).parse_args()
    report((row for name in options.only or SECTIONS for row in SECTIONS[name](options.rounds)), options.json)


def rows(layers: int) -> Model:
    """A graph of about so many layers, like a long residual network."""
    lines = ["Input in0 0 1 b0"]
    for block in range(layers // 4):
        lines += [
            f"Split s{block} 1 2 b{block} p{block} q{block}",
            f"Convolution c{block} 1 1 p{block} y{block} 0={64 + block % 97} 1=3",
            f"BinaryOp a{block} 2 1 y{block} q{block} z{block} 0=0",
            f"ReLU r{block} 1 1 z{block} b{block + 1}",
        ]
    return loads(f"7767517\n{len(lines)} {layers // 4 * 5 + 1}\n" + "\n".join(lines) + "\n")


def hub(layers: int) -> Model:
    """A graph in which all layers but one read one blob."""
    lines = ["Input in0 0 1 x", "ReLU r 1 1 x y"]
    lines.append(f"Split s 1 {layers} y " + " ".join(f"y{index}" for index in range(layers)))
    lines += [f"Sigmoid g{index} 1 1 y{index} z{index}" for index in range(layers)]
    return loads(f"7767517\n{len(lines)} {2 * layers + 2}\n" + "\n".join(lines) + "\n")


def bench_match(rounds: int) -> Iterator[Row]:
    models = {size: rows(size) for size in SIZES}
    for name, text in PATTERNS.items():
        pattern = parse_pattern(text)
        runs = {str(size): partial(find_matches, models[size].graph, pattern) for size in SIZES}
        yield from per_layer("match", name, in_turns(runs, rounds))


def bench_rewrite(rounds: int) -> Iterator[Row]:
    (rule,) = parse_rules(RULE)
    taken: dict[str, float] = {}
    for size in SIZES:
        best = []
        for _ in range(rounds):
            model = rows(size)
            began = time.perf_counter()
            assert len(RuleRewrite(rule).run(model).changes) == size // 4
            best.append(time.perf_counter() - began)
        taken[str(size)] = min(best)
    yield from per_layer("rewrite", "every fourth layer", taken)


def bench_hub(rounds: int) -> Iterator[Row]:
    pattern = parse_pattern(HUB)
    runs = {str(size): partial(find_matches, hub(size).graph, pattern) for size in SIZES}
    yield from per_layer("hub", "one blob that all read", in_turns(runs, rounds))


def per_layer(section: str, what: str, seconds: dict[str, float]) -> Iterator[Row]:
    """Time per layer at each size, and how it grows."""
    for size in SIZES:
        yield Row(section, f"{what}, {size:,} layers, per layer", seconds[str(size)] / size * 1e6, "us")
    least, most = SIZES[0], SIZES[-1]
    growth = (seconds[str(most)] / most) / (seconds[str(least)] / least)
    yield Row(section, "  the largest / the smallest", growth, "x")


SECTIONS = {"match": bench_match, "rewrite": bench_rewrite, "hub": bench_hub}

if __name__ == "__main__":
    main()
