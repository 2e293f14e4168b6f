"""What quantising one net of a transducer costs in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ncnnparam.errors import ConfigError
from ncnnparam.model import load
from ncnnparam.optional import need
from ncnnparam.quantize.accuracy import run_item
from ncnnparam.quantize.accuracy_spread import Spread, by_chunks, by_frames
from ncnnparam.quantize.wavs import wav_items
from ncnnparam.runtime.session import Session, custom_types
from ncnnparam.speech.error_rate import word_errors
from ncnnparam.speech.files import NetFiles
from ncnnparam.speech.greedy import Greedy
from ncnnparam.speech.inject import required_metadata
from ncnnparam.speech.nets import NETS
from ncnnparam.speech.stream import Stream
from ncnnparam.speech.streaming import shortest, streaming
from ncnnparam.speech.transducer import load_transducer, require_sound_nets

if TYPE_CHECKING:
    from ncnnparam.quantize.data import Inputs, Item, Items
    from ncnnparam.quantize.runners import Pair


def transducer_items(files: NetFiles, net: str, wavs: str) -> tuple[Items, Spread]:
    """Wavs as items for one net of a transducer, and how an item is run.

    Args:
        files: The transducer.
        net: ``encoder``, which runs chunk by chunk, or ``joiner``, which runs frame by frame.
        wavs: Where the wavs are; see ``wav_items``.

    Raises:
        ConfigError: It is the decoder, which is never quantised for its error on wavs.
        FileError: There are no wavs.
        MetadataError: The encoder has no metadata.
        NcnnParamError: A package is not installed.
    """
    for package in ("kaldi_native_fbank", "kaldialign"):
        need(package, "speech")
    if net == "decoder":
        raise ConfigError(
            "the decoder reads tokens and not wavs",
            hint="quantise the encoder and the joiner; sherpa-ncnn's own tools leave the decoder in float",
        )
    graph = load(files.encoder[0]).graph
    how = streaming(required_metadata(graph, files.encoder[0]))
    items = wav_items(wavs, shortest(how))
    if net == "encoder":
        return items, by_chunks(how)
    types = custom_types(graph)
    require_sound_nets(files, types)
    return items, by_frames(Session(*files.encoder, types), Session(*files.decoder), how)


class WordLoss:
    """By how many words in a hundred the word error rate rises when another net takes the place of one.

    Args:
        files: The float transducer.
        net: ``encoder``, ``decoder`` or ``joiner``: the net that is replaced.
        items: Wavs.
        names: The words of tokens.
        transcripts: What is said, by the name of the wav without folder and ending.

    Raises:
        ConfigError: There is nothing to count by: the transcripts are empty.
        NcnnParamError: The transducer cannot be run.
    """

    def __init__(
        self,
        files: NetFiles,
        net: str,
        items: Sequence[Item],
        names: Mapping[int, str],
        transcripts: Mapping[str, str],
    ) -> None:
        self._files, self._place = files, NETS.index(net)
        self._items, self._names, self._transcripts = items, names, transcripts
        self.first = self._rate(files)

    def __call__(self, pair: Pair) -> float:
        """The loss with these files, in words of a hundred; below 0 if fewer words are wrong."""
        files = [*self._files]
        files[self._place] = pair
        return self._rate(NetFiles(*files)) - self.first

    def _rate(self, files: NetFiles) -> float:
        transducer = load_transducer(files)
        texts: dict[str, str] = {}

        def run(inputs: Inputs) -> None:
            stream = Stream(transducer, Greedy(transducer), self._names)
            stream.accept(inputs["samples"])
            stream.finish()
            texts[item.name] = stream.text

        try:
            for item in self._items:
                run_item(item, run)
        finally:
            transducer.close()
        errors = word_errors(texts, self._transcripts)
        if not errors.length:
            raise ConfigError("the transcripts have no words, by which errors could be counted")
        return 100 * errors.rate
