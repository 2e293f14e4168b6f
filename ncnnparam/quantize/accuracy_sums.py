"""How far the numbers of a blob are apart, over many runs and without keeping them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ncnnparam.diff.measure import Distance, _cosine, _sqnr

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass
class Sums:
    """Sums over the numbers ``a`` and ``b`` of two models where both are finite, and over ``e = b - a``.

    Attributes:
        runs: How many pairs of blobs were added.
        shapes: The first pair of shapes that differ, or None. Such blobs are not compared.
    """

    aa: float = 0.0
    ab: float = 0.0
    bb: float = 0.0
    ee: float = 0.0
    abs_e: float = 0.0
    max_e: float = 0.0
    compared: int = 0
    lost_a: int = 0
    lost_b: int = 0
    runs: int = 0
    shapes: tuple[tuple[int, ...], tuple[int, ...]] | None = None

    def add(self, first: NDArray[Any], second: NDArray[Any]) -> None:
        """Adds a blob as both models computed it."""
        self.runs += 1
        if first.shape != second.shape:
            self.shapes = self.shapes or (first.shape, second.shape)
            return
        a, b = first.astype(np.float64).reshape(-1), second.astype(np.float64).reshape(-1)
        finite = np.isfinite(a), np.isfinite(b)
        both = finite[0] & finite[1]
        if not both.all():
            self.lost_a += len(a) - int(np.count_nonzero(finite[0]))
            self.lost_b += len(b) - int(np.count_nonzero(finite[1]))
            a, b = a[both], b[both]
        e = np.abs(b - a)
        self.aa += float(a @ a)
        self.ab += float(a @ b)
        self.bb += float(b @ b)
        self.ee += float(e @ e)
        self.abs_e += float(e.sum())
        self.max_e = max(self.max_e, float(e.max(initial=0)))
        self.compared += len(e)

    @property
    def distance(self) -> Distance | None:
        """How far the numbers are apart, or None if there were none that could be compared."""
        if self.shapes is not None or not self.runs:
            return None
        return Distance(
            max_abs=self.max_e,
            mean_abs=self.abs_e / self.compared if self.compared else 0.0,
            cosine=_cosine(self.aa, self.ab, self.bb),
            sqnr=_sqnr(self.aa, self.ee),
            not_finite=(self.lost_a, self.lost_b),
        )
