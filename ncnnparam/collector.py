"""Python's collector of cycles, put aside while a whole graph is made.

Each of its passes looks at every object there is, and making a graph triggers one pass after the other
although nothing is garbage yet: for 200,000 layers they would take two thirds of the time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Lets no collection begin; as a context manager, or as a decorator with ``@collector_paused()``."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
