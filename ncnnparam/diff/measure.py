"""How far the numbers of one array are from those of another."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import fsum, inf, isfinite, log10, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.weights.values import Reader

PIECE = 1 << 17
"""Numbers to look at at once: buffers of float32 that stay in a core's cache."""

_ALIKE = 0.5  # powers within this factor and its inverse: sums of both lose no digits of their product
_TINY = 1e-30  # a sum of squares below this may have lost squares that a float32 does not hold


@dataclass(frozen=True, slots=True)
class Distance:
    """The difference between two arrays, over the places where both are finite.

    Attributes:
        max_abs: The largest absolute difference.
        mean_abs: The mean absolute difference.
        cosine: The cosine of the angle between the two; 1 for two arrays of zeros, 0 if only one is.
        sqnr: Power of the first array over that of the difference, in dB: ``inf`` for equal numbers,
            ``-inf`` where the first has only zeros.
        not_finite: How many numbers are NaN or infinite in the first and in the second.
    """

    max_abs: float
    mean_abs: float
    cosine: float
    sqnr: float
    not_finite: tuple[int, int] = (0, 0)

    def to_json(self) -> dict[str, Any]:
        """The fields; an infinite ``sqnr`` is None, for json has no infinity."""
        return {**asdict(self), "sqnr": self.sqnr if isfinite(self.sqnr) else None}


def measure(first: Reader, second: Reader, count: int) -> Distance:
    """Compares two arrays of ``count`` numbers piece by piece."""
    parts = []
    whole = np.empty(min(PIECE, count), np.float32), np.empty(min(PIECE, count), np.float32)
    with np.errstate(all="ignore"):  # a file may hold NaN and infinity
        for start in range(0, count, PIECE):
            a, b = (buffer[: count - start] for buffer in whole)
            first(start, a)
            second(start, b)
            part = _fast_part(a, b)
            if part is None:
                second(start, b)
                part = _careful_part(a, b)
            parts.append(part)
    return _distance(parts)


class _Part(NamedTuple):
    """Sums over a piece of the arrays ``a`` and ``b`` and of their difference ``e``."""

    aa: float
    ab: float
    bb: float
    ee: float
    abs_e: float
    max_e: float
    compared: int
    lost_a: int = 0
    lost_b: int = 0


def _fast_part(a: NDArray[np.float32], b: NDArray[np.float32]) -> _Part | None:
    """Sums in float32, which overwrites ``b``; None where float32 does not hold the squares."""
    aa, bb = float(a @ a), float(b @ b)
    ab = float(a @ b) if not _ALIKE < aa / max(bb, _TINY) < 1 / _ALIKE else None
    e = np.subtract(b, a, out=b)
    ee = float(e @ e)
    if ab is None:  # (a - b)^2 has it too, which saves a pass
        ab = (aa + bb - ee) / 2
    np.abs(e, out=e)
    max_e = float(e.max())
    held = all(_TINY <= square < inf for square in (aa, bb)) and (_TINY <= ee < inf or not max_e)
    return _Part(aa, ab, bb, ee, float(e.sum()), max_e, len(e)) if held else None


def _careful_part(a: NDArray[np.float32], b: NDArray[np.float32]) -> _Part:
    """Sums in float64 over what is finite in both."""
    finite = np.isfinite(a), np.isfinite(b)
    both = finite[0] & finite[1]
    one, other = a[both].astype(np.float64), b[both].astype(np.float64)
    e = np.abs(other - one)
    return _Part(
        aa=float(one @ one),
        ab=float(one @ other),
        bb=float(other @ other),
        ee=float(e @ e),
        abs_e=float(e.sum()),
        max_e=float(e.max(initial=0)),
        compared=len(e),
        lost_a=len(a) - int(np.count_nonzero(finite[0])),
        lost_b=len(b) - int(np.count_nonzero(finite[1])),
    )


def _distance(parts: list[_Part]) -> Distance:
    columns = dict(zip(_Part._fields, zip(*parts, strict=True), strict=True))
    aa, ab, bb, ee, abs_e = (fsum(columns[name]) for name in ("aa", "ab", "bb", "ee", "abs_e"))
    compared = sum(columns["compared"])
    return Distance(
        max_abs=max(columns["max_e"]),
        mean_abs=abs_e / compared if compared else 0.0,
        cosine=_cosine(aa, ab, bb),
        sqnr=_sqnr(aa, ee),
        not_finite=(sum(columns["lost_a"]), sum(columns["lost_b"])),
    )


def _cosine(aa: float, ab: float, bb: float) -> float:
    if not aa or not bb:
        return 1.0 if aa == bb else 0.0
    return min(max(ab / sqrt(aa) / sqrt(bb), -1.0), 1.0)


def _sqnr(aa: float, ee: float) -> float:
    if not ee:
        return inf
    return 10 * log10(aa / ee) if aa else -inf
