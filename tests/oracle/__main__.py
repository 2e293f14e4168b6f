"""``python -m tests.oracle SEED [--shrink]``: print a mutant of the corpus, or the part that still fails."""

from __future__ import annotations

import argparse
import sys

from .compare import compare
from .mutate import make
from .oracle import Oracle
from .shrink import shrink
from .sources import corpus


def main() -> None:
    """Write the text to stdout and the verdict to stderr."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("--shrink", action="store_true", help="leave out what does not matter")
    args = parser.parse_args()
    mutant = make(args.seed, corpus())
    text = mutant.text
    with Oracle() as oracle:
        if args.shrink and compare(text, oracle).fault:
            text = shrink(text, lambda part: compare(part, oracle).fault is not None)
        comparison = compare(text, oracle)
    print(f"{mutant}\n{comparison.kind}; {comparison.fault or 'we agree'}", file=sys.stderr)
    sys.stdout.buffer.write(text)


if __name__ == "__main__":
    main()
