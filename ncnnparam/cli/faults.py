"""A word about the faults of a model that a command has written all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.cli.common import say

if TYPE_CHECKING:
    from ncnnparam.graph import Graph


def tell_of_errors(graph: Graph) -> None:
    """Tells on standard error if ``checks`` finds errors in a graph, and names the first."""
    from ncnnparam.checks import Severity, check

    errors = [finding for finding in check(graph) if finding.severity is Severity.ERROR]
    if errors:
        many = "an error" if len(errors) == 1 else f"{len(errors)} errors"
        first = f"{errors[0].code} {errors[0].message}"
        say(f"note: the model still has {many}: {first}; ncnnparam check tells more")
