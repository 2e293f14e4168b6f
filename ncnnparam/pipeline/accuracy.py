"""Which layers of an int8 model are off, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ncnnparam.speech.files import NetFiles

_SECONDS = 3
"""As much of the shortest wav is enough to tell one layer from another."""
_WORST = 40
"""Layers of a net that are told of."""


def layer_errors(right: NetFiles, found: NetFiles, wavs: Sequence[str]) -> list[dict[str, Any]]:
    """Runs two models side by side on a bit of speech.

    Args:
        right: The model that is right.
        found: The one that is looked at.
        wavs: Speech.

    Returns:
        For each net its worst layers, in types that ``json.dumps`` takes.
    """
    from ncnnparam.quantize.accuracy_transducer import compare_transducers, prepare
    from ncnnparam.quantize.data import file_items
    from ncnnparam.speech.audio import read_wav
    from ncnnparam.speech.streaming import SAMPLE_RATE

    shortest = min(map(Path, wavs), key=lambda path: path.stat().st_size)
    enough = _SECONDS * SAMPLE_RATE
    items = file_items([shortest], lambda path: {"samples": read_wav(path)[:enough]}).good
    accuracy = compare_transducers(prepare(right), prepare(found), items)
    return [
        {
            "net": net,
            "layer": layer.layer,
            "type": layer.type,
            "form": layer.new,
            "sqnr": layer.distance.to_json()["sqnr"],
            "cosine": layer.distance.cosine,
            "max_error": layer.distance.max_abs,
        }
        for net, found_in in accuracy.nets.items()
        for layer in found_in.worst()[:_WORST]
        if layer.distance is not None
    ]
