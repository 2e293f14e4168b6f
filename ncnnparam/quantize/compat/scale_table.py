"""A calibration table as ncnn2int8 reads it: ``read_int8scale_table`` in its source."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ncnnparam.errors import ConfigError
from ncnnparam.quantize.table import PARAM, Row, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FLOAT = re.compile(
    r"(?P<sign>[+-]?)(?:(?P<hex>0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(?:p[+-]?\d+)?)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan))",
    re.IGNORECASE | re.ASCII,
)


def tables(table: Table) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.float32]]]:
    """Scales of inputs and scales of weights, by key.

    A blank line ends the table. A word that does not begin with a number repeats the one before it, or is 1.

    Raises:
        ConfigError: A row has no numbers, which kills the C++ tool.
    """
    inputs: dict[str, NDArray[np.float32]] = {}
    weights: dict[str, NDArray[np.float32]] = {}
    for row in table.rows:
        key, words = _words(row)
        if not key:
            break
        if not words:
            place = f"{table.name or 'the table'}:{row.line}"
            raise ConfigError(f"{place}: the row '{key}' has no scales: ncnn2int8 dies of it")
        (weights if PARAM in key else inputs)[key] = _numbers(words)
    return inputs, weights


def _words(row: Row) -> tuple[str, list[str]]:
    """The key and the rest of a row; to the C++ tool only blanks separate."""
    words = [word for word in row.text.rstrip("\r\n").split(" ") if word]
    return (words[0].split() or [""])[0] if words else "", words[1:]


def _numbers(words: list[str]) -> NDArray[np.float32]:
    numbers, last = [], 1.0
    for word in words:
        match = _FLOAT.match(word.lstrip("\t\v\f"))
        if match is not None:
            size = float.fromhex(match["hex"]) if match["hex"] else float(match["number"])
            last = -size if match["sign"] == "-" else size
        numbers.append(last)
    with np.errstate(over="ignore"):
        return np.array(numbers, np.float64).astype(np.float32)
