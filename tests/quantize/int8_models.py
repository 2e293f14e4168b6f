"""What ncnn2int8 made of models, with the commands that it got."""

from __future__ import annotations

import csv
import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ncnnparam import load
from ncnnparam.model import Model
from ncnnparam.quantize.table import Table

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "golden"


@dataclass(frozen=True)
class Made:
    """A run of ncnn2int8.

    Attributes:
        folder: Where it ran.
        words: The command line behind the name of the tool.
        works: It ended well.
    """

    folder: Path
    words: tuple[str, ...]
    works: bool

    def __str__(self) -> str:
        return f"{self.folder.name}-{self.words[2].removesuffix('.param')}"

    @property
    def made_up(self) -> bool:
        """It was given no weights."""
        return self.words[1] == "null"

    @property
    def float_pair(self) -> tuple[Path, Path]:
        return self.folder / self.words[0], self.folder / self.words[1]

    @property
    def int8_pair(self) -> tuple[Path, Path]:
        return self.folder / self.words[2], self.folder / self.words[3]

    def model(self) -> Model:
        param, weights = self.float_pair
        return load(param, None if self.made_up else weights)

    @property
    def table_path(self) -> Path | None:
        return self.folder / self.words[4] if len(self.words) > 4 else None

    def table(self) -> Table | None:
        return None if self.table_path is None else Table.read(self.table_path)


@cache
def all_made() -> tuple[Made, ...]:
    """Every run in the index; none where the goldens are not there."""
    if not GOLDEN.is_dir():
        return ()
    with (GOLDEN / "index.tsv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["tool"] == "ncnn2int8"]
    return tuple(
        Made(GOLDEN / row["case"], tuple(shlex.split(row["command"])[1:]), row["rc"] == "0") for row in rows
    )


def feed(made: Made) -> dict[str, NDArray[np.float32]]:
    """Inputs that the goldens keep for a float model, by blob name; empty where there are none."""
    name = f"{made.folder.name}/{made.words[0]}"
    with (GOLDEN / "loads" / "loads.tsv").open(newline="") as file:
        rows = [row for row in csv.reader(file, delimiter="\t") if name in row]
    pairs = rows[0][7].split(";") if rows else []
    return {blob: np.load(GOLDEN / path) for blob, path in (pair.split("=") for pair in pairs)}


def sqnr(signal: NDArray[Any], other: NDArray[Any]) -> float:
    """Signal to noise in dB."""
    wanted, got = signal.astype(np.float64), other.astype(np.float64)
    noise, power = float(((wanted - got) ** 2).sum()), float((wanted**2).sum())
    if noise == 0 or power == 0:
        return np.inf if noise == 0 else -np.inf
    return 10 * float(np.log10(power / noise))
