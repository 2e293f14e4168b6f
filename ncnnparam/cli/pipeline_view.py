"""Shows a run of the pipeline: live on a terminal, line by line in a pipe, or as one object at its end."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ncnnparam.cli.common import say, visible
from ncnnparam.pipeline.events import (
    Advanced,
    Cached,
    Done,
    Event,
    Failed,
    Planned,
    Said,
    Skipped,
    Started,
)

_WIDTH = 10
"""Of the longest name of a stage."""


class View:
    """Remembers what happened, and shows nothing.

    Attributes:
        problems: What the user should look at.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._stages: dict[str, list[dict[str, Any]]] = {}

    def __call__(self, event: Event) -> None:
        """Takes note of something that happened."""
        if isinstance(event, (Done, Cached)):
            self.problems += event.problems
        what = _outcome(event)
        if what:
            self._stages.setdefault(event.model, []).append({"stage": event.stage, **what})

    def as_json(self, folders: Mapping[str, Path]) -> list[dict[str, Any]]:
        """What happened, for programs."""
        return [
            {"name": name, "folder": str(folder), "stages": self._stages.get(name, [])}
            for name, folder in folders.items()
        ]


class Lines(View):
    """Writes a line for what happens.

    Args:
        several: Tell the model in every line.
    """

    def __init__(self, several: bool) -> None:
        super().__init__()
        self._several = several

    def __call__(self, event: Event) -> None:
        """Writes the line."""
        super().__call__(event)
        for text in told(event):
            self._say(f"{f'{event.model} ' if self._several else ''}{event.stage:<{_WIDTH}} {text}")

    def _say(self, text: str) -> None:
        say(text)


class Live(Lines):
    """The same above a line that moves."""

    def __init__(self, several: bool) -> None:
        super().__init__(several)
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self.progress.add_task("", total=None)

    def __call__(self, event: Event) -> None:
        """Moves the line."""
        super().__call__(event)
        if isinstance(event, Started):
            self.progress.reset(self._task, description=f"{event.model} {event.stage}", total=None)
        elif isinstance(event, Advanced):
            self.progress.update(self._task, completed=event.done, total=event.total)

    def _say(self, text: str) -> None:
        from rich.text import Text

        self.progress.console.print(Text(visible(text)), highlight=False)


@contextmanager
def view(form: str, *, several: bool) -> Iterator[View]:
    """What shows a run.

    Args:
        form: ``text`` or ``json``.
        several: There are several models.
    """
    if form == "json":
        yield View()
    elif sys.stderr.isatty():
        live = Live(several)
        with live.progress:
            yield live
    else:
        yield Lines(several)


def told(event: Event) -> Iterator[str]:
    """What people are told of an event."""
    if isinstance(event, Started):
        yield f"... {event.why}"
    elif isinstance(event, Said):
        yield f"    {event.text}"
    elif isinstance(event, Done):
        yield f"done in {event.seconds:.1f} s"
    elif isinstance(event, Cached):
        yield "up to date"
    elif isinstance(event, Planned):
        yield f"to do: {event.why}"
    elif isinstance(event, Skipped):
        yield f"not needed: {event.why}"
    elif isinstance(event, Failed):
        yield "failed"
    if isinstance(event, (Done, Cached)):
        yield from (f"warning: {problem}" for problem in event.problems)


def _outcome(event: Event) -> dict[str, Any]:
    """What became of a stage, or nothing if the event does not tell."""
    if isinstance(event, Done):
        return {"state": "run", "seconds": event.seconds, "problems": list(event.problems)}
    if isinstance(event, Cached):
        return {"state": "cached", "problems": list(event.problems)}
    if isinstance(event, Planned):
        return {"state": "to do", "why": event.why}
    if isinstance(event, Skipped):
        return {"state": "skipped", "why": event.why}
    return {}
