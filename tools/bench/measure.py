"""What the benchmarks share: rows of numbers, contenders that run in turns, memory of child processes."""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import TypeAlias

Action: TypeAlias = "Callable[[], object]"

# Linux counts the memory of the process that starts another one as that of the new one: a small one starts it
_WATCH = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""


@dataclass
class Row:
    """One measurement.

    Attributes:
        section: Name of the section.
        what: What was measured.
        value: The number.
        unit: ms, us, bytes, MB or x, for a ratio.
    """

    section: str
    what: str
    value: float
    unit: str


def options_of(
    program: str, text: str | None, sections: Iterable[str], *, rounds: int
) -> argparse.ArgumentParser:
    """The options that every benchmark has: ``--only``, ``--rounds``, ``--json``."""
    parser = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter, prog=program
    )
    names = tuple(sections)
    parser.add_argument("--only", action="append", choices=names, help="run this section; may be repeated")
    help = f"how often each thing runs (default {rounds})"
    parser.add_argument("--rounds", type=int, default=rounds, help=help)
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    return parser


def report(rows: Iterable[Row], as_json: bool) -> None:
    """Prints rows as they come, or all of them as JSON."""
    done = []
    for row in rows:
        done.append(row)
        if not as_json:
            print(f"{row.section:<9} {row.what:<50} {row.value:>12,.2f} {row.unit}", flush=True)
    if as_json:
        print(json.dumps([asdict(row) for row in done], indent=1))


def in_turns(contenders: dict[str, Action], rounds: int) -> dict[str, float]:
    """Median seconds of each, after one run to warm up; every round runs each of them once."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, action in contenders.items():
            gc.collect()  # what the one before has left
            began = time.perf_counter()
            action()
            if number:
                times[name].append(time.perf_counter() - began)
    return {name: statistics.median(taken) for name, taken in times.items()}


def most_memory(*words: str) -> float:
    """The most resident memory that a program with these arguments takes, in MB of a million bytes."""
    watched = subprocess.run([sys.executable, "-c", _WATCH, *words], capture_output=True, text=True)
    status, size = watched.stdout.split() if watched.returncode == 0 else ("2", "0")
    if status not in ("0", "1"):
        raise SystemExit(f"{' '.join(words)}: {watched.stderr}")
    return int(size) * 1024 / 1e6  # Linux counts in KiB
