"""Tables that ncnn2table and generate-int8-scale-table made, and what they made them of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ncnnparam import load
from ncnnparam.quantize.table import Table


@dataclass(frozen=True)
class Golden:
    """A table of ncnn2table.

    Attributes:
        case: Folder of the golden.
        model: Name of the model's files without their endings.
        lists: A list of ``.npy`` files for each input; none if the table has only weights.
        table: File name of the table.
        method: How it was made.
    """

    case: str
    model: str
    lists: tuple[str, ...]
    table: str
    method: str = "kl"

    def __str__(self) -> str:
        return f"{self.case}-{self.table}"

    def files(self, shared: Path) -> tuple[Path, Path]:
        folder = shared / "golden" / self.case
        return folder / f"{self.model}.param", folder / f"{self.model}.bin"

    def rows(self, shared: Path) -> Table:
        return Table.read(shared / "golden" / self.case / self.table)

    def inputs(self, shared: Path) -> list[dict[str, Any]]:
        folder = shared / "golden" / self.case
        names = [blob.name for blob in load(self.files(shared)[0]).graph.inputs]
        columns = [(folder / file).read_text().split() for file in self.lists]
        rows = zip(*columns, strict=True)
        return [{name: np.load(folder / file) for name, file in zip(names, row, strict=True)} for row in rows]


CALIBRATED = (
    Golden("cnn_chain", "m", ("list.txt",), "kl.table"),
    Golden("cnn_chain", "m", ("list.txt",), "aciq.table", "aciq"),
    Golden("cnn_chain", "o0", ("list.txt",), "o0.table"),
    Golden("cnn_chain", "eq1", ("elist.txt",), "eq1.kl.table"),
    Golden("cnn_chain", "eq1", ("elist.txt",), "eq1.aciq.table", "aciq"),
    Golden("group_dw", "m", ("list.txt",), "kl.table"),
    Golden("group_dw", "m", ("list.txt",), "aciq.table", "aciq"),
    Golden("group_dw", "t", ("tl0.txt", "tl1.txt"), "t.table"),
    Golden("seq", "c1d", ("c1d.txt",), "c1dk.table"),
    Golden("seq", "fc", ("fc.txt",), "fc.kl.table"),
    Golden("seq", "fc", ("fc.txt",), "fc.aciq.table", "aciq"),
    Golden("seq", "cm", ("cm.txt",), "cm.kl.table"),
    Golden("seq", "cm", ("cm.txt",), "cm.aciq.table", "aciq"),
    Golden("tails", "h16", ("h.txt",), "h16.table"),
    Golden("tails", "zero", ("z.txt",), "zero.kl.table"),
    Golden("tails", "zero", ("z.txt",), "zero.aciq.table", "aciq"),
    Golden("tails", "dead", ("z.txt",), "dead.kl.table"),
    Golden("tails", "dead", ("z.txt",), "dead.aciq.table", "aciq"),
)

WEIGHTS = (
    *(Golden("seq", name, (), f"{name}.table") for name in ("rec", "st", "att", "sdpa", "c1d", "gemm")),
    *(Golden("seq", name, (), f"{name}.table") for name in ("emb", "cm")),
    Golden("cnn_chain", "m", (), "w.table"),
    Golden("sherpa_small", "dec", (), "dec.table"),
)
