"""What PyTorch and ncnn hear: the TorchScript files of a transducer beside the nets made of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ncnnparam.errors import BadItemError
from ncnnparam.quantize.accuracy import run_item
from ncnnparam.quantize.accuracy_transducer import PreparedTransducer, TransducerAccuracy, Utterance
from ncnnparam.runtime.session import Session
from ncnnparam.speech import torchscript
from ncnnparam.speech.greedy import Greedy
from ncnnparam.speech.inject import required_metadata
from ncnnparam.speech.stream import Stream, listen
from ncnnparam.speech.transducer import Transducer

if TYPE_CHECKING:
    from ncnnparam.quantize.data import Inputs, Item
    from ncnnparam.speech.heard import Heard


def compare_scripts(
    scripts: torchscript.TorchFiles,
    tokens: str | os.PathLike[str],
    second: PreparedTransducer,
    items: Sequence[Item],
    *,
    advance: Callable[[int], None] | None = None,
) -> TransducerAccuracy:
    """Lets PyTorch and ncnn hear the same wavs; of the nets themselves nothing is compared.

    Args:
        scripts: The modules, which are right.
        tokens: The ``tokens.txt``.
        second: The nets.
        items: Wavs; see ``wav_items``.
        advance: Is called after each item with 1.

    Raises:
        BadItemError: There is no item, or one cannot be run.
        NcnnParamError: PyTorch cannot run the modules as such a transducer.
    """
    if not items:
        raise BadItemError("there is nothing to run the models on")
    metadata = required_metadata(second.graphs["encoder"], second.files.encoder[0])
    right = torchscript.decode(scripts, metadata, tokens, [item.name for item in items], tail=0)
    encoder = Session(*second.files.encoder, second.types)
    nets = Transducer(encoder, Session(*second.files.decoder), Session(*second.files.joiner), second.how)
    utterances: list[Utterance] = []
    try:
        for item, heard in zip(items, right, strict=True):
            found = run_item(item, partial(_hear, nets, item.name))
            utterances.append(Utterance(item.name, heard.tokens, found.tokens))
            if advance is not None:
                advance(1)
    finally:
        nets.close()
    return TransducerAccuracy({}, tuple(utterances))


def _hear(nets: Transducer, name: str, inputs: Inputs) -> Heard:
    """What ncnn hears in a wav, without zeros behind it: the nets are compared on what there is."""
    return listen(lambda: Stream(nets, Greedy(nets)), name, inputs["samples"], tail=0)
