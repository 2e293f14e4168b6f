"""How a TorchScript module takes and gives tensors: one by one, in tuples, or in a list.

The types are those of its schema, ``module.forward.schema.arguments``. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def room(types: Sequence[Any], listed: int) -> int:
    """How many tensors arguments of these types take, if a list takes ``listed``."""
    return sum(_room(kind, listed) for kind in types)


def packed(types: Sequence[Any], tensors: Sequence[Any]) -> list[Any]:
    """Arguments of these types made of tensors; a list takes what the others leave.

    Raises:
        ValueError: There are too few or too many tensors.
    """
    listed = len(tensors) - room(types, 0)
    if listed < 0 or room(types, listed) != len(tensors):
        raise ValueError(f"it takes {room(types, max(listed, 0))} tensors, not {len(tensors)}")
    rest = iter(tensors)
    return [_pack(kind, rest, listed) for kind in types]


def unpacked(given: Any, kind: type) -> Iterator[Any]:
    """The tensors of a result in their order, tuples and lists unfolded.

    Args:
        given: The result.
        kind: ``torch.Tensor``.
    """
    if isinstance(given, kind):
        yield given
    else:
        for part in given:
            yield from unpacked(part, kind)


def _room(kind: Any, listed: int) -> int:
    if kind.kind() == "TupleType":
        return room(kind.elements(), listed)
    return listed if kind.kind() == "ListType" else 1


def _pack(kind: Any, rest: Iterator[Any], listed: int) -> Any:
    if kind.kind() == "TupleType":
        return tuple(_pack(part, rest, listed) for part in kind.elements())
    if kind.kind() == "ListType":
        return [next(rest) for _ in range(listed)]
    return next(rest)
