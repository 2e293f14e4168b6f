"""Runs items, in this process or in several, and gathers their statistics."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import TypeAlias

from ncnnparam.errors import BadItemError, ConfigError, NcnnParamError
from ncnnparam.optional import need
from ncnnparam.quantize.data import Item
from ncnnparam.quantize.histogram import Histogram
from ncnnparam.quantize.runners import Opened, Runner
from ncnnparam.quantize.statistics import Statistics

SAVE_EVERY = 30.0
"""Seconds between two times that statistics are saved."""

_Result: TypeAlias = "dict[str, Histogram] | str"
"""What the blobs of an item held, or why it cannot be run."""


def missing_items(items: Iterable[Item], statistics: Statistics) -> list[Item]:
    """The items that statistics have not run yet.

    Raises:
        ConfigError: One that they have run is not what it was.
    """
    for item in items:
        if statistics.items.get(item.name, item.digest) != item.digest:
            raise ConfigError(
                f"{item.name} has changed since the statistics were made",
                hint="begin anew with another --stats file",
            )
    return [item for item in items if item.name not in statistics.items]


def collect(
    runner: Runner,
    items: Iterable[Item],
    statistics: Statistics,
    *,
    jobs: int = 1,
    skip_bad: bool = False,
    save: Callable[[Statistics], None] | None = None,
    save_every: float = SAVE_EVERY,
    advance: Callable[[int], None] | None = None,
) -> dict[str, str]:
    """Runs items and adds what is seen to statistics, which do not depend on the items' order.

    Args:
        runner: What to run.
        items: The items.
        statistics: Are added to, item by item.
        jobs: In how many processes; with more than one, joblib's backend runs them.
        skip_bad: Go on when an item makes NaN or cannot be computed.
        save: Is called with the statistics now and then, and at the end, also when something fails.
        save_every: Seconds between two calls.
        advance: Is called after each item with 1.

    Returns:
        The items that could not be run: name -> why.

    Raises:
        BadItemError: An item could not be run, and is not to be skipped.
    """
    bad: dict[str, str] = {}
    saved = time.monotonic()
    settings = runner.settings()
    statistics.settings = statistics.settings or settings
    try:
        for item, result in _results(runner, list(items), jobs):
            if not isinstance(result, str):
                statistics.update(Statistics(settings, {item.name: item.digest}, result))
            elif skip_bad:
                bad[item.name] = result
            else:
                raise BadItemError(f"{item.name}: {result}", hint="--skip-bad goes on without it")
            if save is not None and time.monotonic() - saved >= save_every:
                save(statistics)
                saved = time.monotonic()
            if advance is not None:
                advance(1)
    finally:
        if save is not None and statistics.items:
            save(statistics)
    return bad


def _results(runner: Runner, items: list[Item], jobs: int) -> Iterator[tuple[Item, _Result]]:
    if jobs == 1:
        opened = runner.open()
        try:
            for item in items:
                yield item, _measure(opened, item)
        finally:
            opened.close()
        return
    joblib = need("joblib", "quantize")
    work = joblib.delayed(_in_worker)
    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
    for number, result in parallel(work(runner, number, item) for number, item in enumerate(items)):
        yield items[number], result


def _measure(opened: Opened, item: Item) -> _Result:
    try:
        return opened.measure(item.load())
    except NcnnParamError as error:
        return error.message


def _in_worker(runner: Runner, number: int, item: Item) -> tuple[int, _Result]:
    return number, _measure(_opened(runner), item)


@lru_cache(maxsize=1)
def _opened(runner: Runner) -> Opened:
    """The nets of this worker, which stay loaded from item to item."""
    return runner.open()
