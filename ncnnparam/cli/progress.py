"""A progress bar on a terminal, for work that takes longer than a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 1.0
"""Seconds before there is a bar."""


@contextmanager
def progress_bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Shows on standard error how far some work is, if it takes long and somebody is there to see it.

    Args:
        what: A word before the bar.
        total: The amount of work.

    Yields:
        A function to call with each amount of work that is done.
    """
    shown: list[Progress] = []
    begin, done = time.monotonic(), 0

    def advance(amount: int) -> None:
        nonlocal done
        done += amount
        if not shown and sys.stderr.isatty() and time.monotonic() - begin > PATIENCE:
            shown.append(_start(what, total))
        if shown:
            shown[0].update(shown[0].task_ids[0], completed=done)

    try:
        yield advance
    finally:
        for bar in shown:
            bar.stop()


def _start(what: str, total: int) -> Progress:
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(console=Console(stderr=True), transient=True)
    bar.add_task(what, total=total)
    bar.start()
    return bar
