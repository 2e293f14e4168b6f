"""What ``ncnnparam calibrate`` writes and says when it is done."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

from ncnnparam.cli.common import emit, emit_json, say_names
from ncnnparam.cli.data import tell_skipped, write_page

if TYPE_CHECKING:
    from ncnnparam.quantize.calibrate import Part
    from ncnnparam.quantize.statistics import Statistics
    from ncnnparam.quantize.table import Table

Result: TypeAlias = "tuple[Part, Table, str]"


def finish(
    results: list[Result],
    statistics: Statistics,
    bad: dict[str, str],
    options: dict[str, Any],
) -> None:
    """Writes the tables and reports them, but not beside one that goes to standard output.

    Args:
        results: Each net with its table and where that goes.
        statistics: What was seen.
        bad: What was left out: name -> why.
        options: Of the command: the method, the format, and where a page goes.
    """
    for _, table, path in results:
        table.save(path)
    if options["html"]:
        from ncnnparam.quantize.calibration_page import calibration_page

        shown = [(part, table) for part, table, _ in results]
        write_page(options["html"], calibration_page(shown, statistics, options["method"]))
    if options["form"] == "json":
        emit_json(_as_json(results, statistics, bad, options["method"]))
    elif all(path != "-" for _, _, path in results):  # nothing may stand beside a table
        _print(results, statistics)
    tell_skipped(bad)
    for part, _, _ in results:
        dead = part.dead(statistics)
        if dead and not part.compat:
            say_names("warning: NP708 the inputs of these layers were always 0; they stay float", dead)


def _rows(part: Part, table: Table, statistics: Statistics) -> list[dict[str, Any]]:
    """What is known of each layer's input; json has no infinity, so that such a number is None."""
    from ncnnparam.quantize.thresholds import LARGEST

    rows = []
    for layer in part.layers:
        row = table.input_scale(layer.name)
        scale = None if row is None else float(row[0])
        is_gemm = row is None and layer.name in part.lowered
        rows.append(
            {
                "layer": layer.name,
                "type": "Gemm" if is_gemm else layer.type,
                "largest": part.histogram(layer, statistics).absmax,
                "threshold": LARGEST / scale if scale else None,
                "scale": scale if scale is not None and math.isfinite(scale) else None,
            }
        )
    return rows


def _print(results: list[Result], statistics: Statistics) -> None:
    from ncnnparam.cli.table import print_table

    for part, table, path in results:
        rows = _rows(part, table, statistics)
        if rows:
            columns = ("largest", "threshold", "scale")
            print_table(
                ("layer", "type", *columns),
                [
                    (
                        row["layer"],
                        row["type"],
                        *("" if row[key] is None else f"{row[key]:.6g}" for key in columns),
                    )
                    for row in rows
                ],
                right=columns,
            )
        emit(f"{path}: {len(table)} rows from {len(statistics.items)} items\n")


def _as_json(
    results: list[Result],
    statistics: Statistics,
    bad: dict[str, str],
    method: str,
) -> dict[str, Any]:
    return {
        "method": method,
        "items": len(statistics.items),
        "skipped": [{"item": name, "why": why} for name, why in bad.items()],
        "tables": [
            {"table": path, "rows": len(table), "inputs": _rows(part, table, statistics)}
            for part, table, path in results
        ],
    }
