"""What the comparisons of ``ncnnparam compare`` share: running items, and telling the outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ncnnparam.cli.accuracy import print_layers, print_summary
from ncnnparam.cli.common import emit
from ncnnparam.cli.data import tell_skipped, write_page
from ncnnparam.cli.paths import require_apart

if TYPE_CHECKING:
    from ncnnparam.quantize.accuracy import Accuracy
    from ncnnparam.quantize.data import Items


def run_items(items: Items, options: dict[str, Any], run: Callable[[Callable[[int], None]], Any]) -> Any:
    """Runs the items with a progress bar, and tells which ones are left out."""
    from ncnnparam.cli.progress import progress_bar

    if not options["skip_bad"]:
        items.require_good()
    require_apart("html", items=[item.name for item in items.good])
    with progress_bar("comparing", len(items.good)) as advance:
        found = run(advance)
    tell_skipped(items.bad)
    return found


def write_accuracy_page(nets: dict[str, Accuracy], options: dict[str, Any]) -> None:
    """Writes the page that ``--html`` asks for."""
    if options["html"]:
        from ncnnparam.quantize.accuracy_page import accuracy_page

        write_page(options["html"], accuracy_page(nets))


def print_net(accuracy: Accuracy, options: dict[str, Any], form: str) -> None:
    """Prints how far a net is off."""
    if accuracy.layers:  # of TorchScript only outputs are known
        print_layers(accuracy, top=options["top"], worst_first=options["order"] == "worst", form=form)
    print_summary(accuracy)


def tell_verdict(same: bool, wanted: str, runs: int) -> None:
    """Prints whether B is near enough."""
    emit(f"# B {'is' if same else 'is not'} near enough to A over {runs} items; wanted: {wanted}\n")
