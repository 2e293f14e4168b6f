"""What keeps a group of layers from being changed as one: blobs inside it that others use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from ncnnparam.graph import SPLIT, Blob, Layer


def leak(layers: Iterable[Layer], outputs: Collection[Blob]) -> str | None:
    """Why some layers are not closed: a blob that one of them writes is used outside.

    Args:
        layers: The layers.
        outputs: The blobs that may be used outside.

    Returns:
        The reason, or None if there is none.
    """
    inside = {id(layer): layer for layer in layers}
    leaving = {id(blob) for blob in outputs}
    for layer in inside.values():
        for blob in layer.outputs:
            if id(blob) not in leaving and (reason := _use_outside(blob, inside)):
                return reason
    return None


def _use_outside(blob: Blob, inside: Collection[int]) -> str | None:
    """The first use of a blob outside, in words; there may be thousands, so no more are looked at."""
    pending: list[Iterator[Blob]] = [iter((blob,))]
    while pending:
        carrier = next(pending[-1], None)
        if carrier is None:
            pending.pop()
            continue
        uses = carrier.uses
        if not uses:
            return f"blob {carrier.name} is an output of the network"
        for use in uses:
            if use.layer.type == SPLIT:
                pending.append(iter(use.layer.outputs))
            elif id(use.layer) not in inside:
                return f"blob {blob.name} is read by {use.layer.name} too"
    return None
