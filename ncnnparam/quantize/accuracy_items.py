"""The data of a single net, from numpy's files or from wavs, and how it is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.model import load
from ncnnparam.optional import need
from ncnnparam.quantize.accuracy_spread import Spread, at_once, by_chunks
from ncnnparam.quantize.arrays import npy_items
from ncnnparam.quantize.data import Items
from ncnnparam.quantize.wavs import wav_items
from ncnnparam.speech.inject import required_metadata
from ncnnparam.speech.streaming import shortest, streaming

if TYPE_CHECKING:
    from ncnnparam.quantize.runners import Pair


def net_items(files: Pair, npy: str | None, wavs: str | None = None) -> tuple[Items, Spread]:
    """Items for a net, and how an item is run.

    Args:
        files: The net.
        npy: Where its inputs are; see ``npy_items``.
        wavs: Where wavs are, in place of ``npy``, for an encoder with ``SherpaMetaData``.

    Raises:
        FileError: There are no such files.
        MetadataError: The net has no metadata, which wavs need.
        NcnnParamError: A package for wavs is not installed.
    """
    graph = load(*files).graph
    if not wavs:
        return npy_items(npy or ".", [blob.name for blob in graph.inputs]), at_once
    how = streaming(required_metadata(graph, files[0]))
    need("kaldi_native_fbank", "speech")
    return wav_items(wavs, shortest(how)), by_chunks(how)
