"""A text on a terminal while it is still growing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ncnnparam.cli.common import visible


@contextmanager
def live_text(name: str) -> Iterator[Callable[[str], None]]:
    """Shows a text on standard error, if somebody is there to see it; in the end it is wiped off.

    Args:
        name: What stands before it.

    Yields:
        A function to call with the text whenever there is more of it.
    """
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    def shown(text: str) -> Text:
        return Text.assemble((visible(name), "dim"), "  ", visible(text))

    with Live(shown(""), console=Console(stderr=True), transient=True) as live:
        yield lambda text: live.update(shown(text))
