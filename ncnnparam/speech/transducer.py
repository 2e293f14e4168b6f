"""A streaming transducer on ncnn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ncnnparam.errors import ConfigError, NcnnParamError
from ncnnparam.model import load
from ncnnparam.runtime.session import Run, Session, custom_types, require_all_sound
from ncnnparam.speech.inject import required_metadata
from ncnnparam.speech.streaming import Streaming, streaming

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.graph import Graph
    from ncnnparam.speech.files import NetFiles
    from ncnnparam.speech.streaming import States

Watch: TypeAlias = Callable[[str, Run], object]
"""``watch(net, run)`` is told of every run of ``encoder``, ``decoder`` and ``joiner``; it may fetch blobs."""


def _blind(net: str, run: Run) -> None:
    """Looks at nothing."""


class Transducer:
    """A transducer's three nets on ncnn; see ``speech.nets.Nets``.

    Args:
        encoder: The encoder, loaded.
        decoder: The decoder: ``CONTEXT`` tokens as int32 to ``in0``, a vector from ``out0``.
        joiner: The joiner: an encoder frame to ``in0``, the decoder's vector to ``in1``; logits from
            ``out0``.
        how: How the encoder is run.
        watch: Is told of every run.
    """

    def __init__(
        self, encoder: Session, decoder: Session, joiner: Session, how: Streaming, watch: Watch = _blind
    ) -> None:
        self.encoder, self.decoder, self.joiner = encoder, decoder, joiner
        self.how = how
        self._watch = watch

    def encode(self, features: NDArray[np.float32], states: States) -> tuple[NDArray[np.float32], States]:
        """The encoder's frames of a segment, and the states for the next one."""
        run = self.encoder.start(self.how.inputs(features, states))
        found = run.fetch([self.how.output, *self.how.feeds.values()])
        output = _not_empty("encoder", self.how.output, found[self.how.output])
        self._watch("encoder", run)
        return output.reshape(-1, output.shape[-1]), self.how.following(found)

    def decode(self, context: Sequence[int]) -> NDArray[np.float32]:
        """The decoder's vector for the last tokens."""
        run = self.decoder.start({"in0": np.array(context, np.int32)})
        return self._finish("decoder", run)

    def join(self, frame: NDArray[np.float32], decoded: NDArray[np.float32]) -> NDArray[np.float32]:
        """The joiner's logits for a frame."""
        run = self.joiner.start({"in0": frame, "in1": decoded})
        return self._finish("joiner", run)

    def close(self) -> None:
        """Frees the nets."""
        for net in (self.encoder, self.decoder, self.joiner):
            net.close()

    def _finish(self, net: str, run: Run) -> NDArray[np.float32]:
        vector = _not_empty(net, "out0", run.fetch(["out0"])["out0"]).reshape(-1)
        self._watch(net, run)
        return vector


def _not_empty(net: str, blob: str, numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    if not numbers.size:
        raise NcnnParamError(f"the {net} gives no numbers as '{blob}'")
    return numbers


def require_sound_nets(
    files: NetFiles, types: Iterable[str], meanwhile: Callable[[], object] | None = None
) -> None:
    """Makes sure that ncnn does not crash on the nets of a transducer, each in its place.

    Args:
        files: Its files.
        types: Custom types of the encoder.
        meanwhile: Is called once child processes load the nets.

    Raises:
        ConfigError: The decoder reads no tokens, or the joiner no two vectors.
        NcnnParamError: Some files do not fit each other, or ncnn cannot load them.
    """
    decoder, joiner = (load(*pair).graph for pair in (files.decoder, files.joiner))
    if "Embed" not in _readers(decoder, "in0"):
        raise _misplaced(files.decoder, "decoder: no Embed layer reads tokens from 'in0'")
    if "Embed" in _readers(joiner, "in0") or not _readers(joiner, "in1"):
        raise _misplaced(files.joiner, "joiner, which adds a vector from 'in0' and one from 'in1'")
    require_all_sound([(files.encoder, types), (files.decoder, ()), (files.joiner, ())], meanwhile)


def _readers(graph: Graph, blob: str) -> set[str]:
    """The types of the layers that read a blob, also through Splits; none if there is no such blob."""
    return {use.layer.type for use in graph.blob(blob).readers} if graph.has_blob(blob) else set()


def _misplaced(files: tuple[str, str], what: str) -> ConfigError:
    return ConfigError(f"{files[0]} is no {what}", hint="were the decoder and the joiner swapped?")


def load_transducer(files: NetFiles, *, threads: int = 1) -> Transducer:
    """Loads a transducer as sherpa-ncnn does, which lets ncnn keep numbers in fp16.

    Before, child processes make sure that ncnn does not crash on it.

    Args:
        files: Its files; the encoder's with ``SherpaMetaData``.
        threads: How many threads each net may use.

    Raises:
        MetadataError: The encoder has no metadata.
        NcnnParamError: ncnn cannot load a net, or is not installed.
    """
    graph = load(files.encoder[0]).graph
    how = streaming(required_metadata(graph, files.encoder[0]))
    types = custom_types(graph)
    require_sound_nets(files, types)
    encoder = Session(*files.encoder, types, threads, float32=False)
    decoder, joiner = (
        Session(*pair, threads=threads, float32=False) for pair in (files.decoder, files.joiner)
    )
    return Transducer(encoder, decoder, joiner, how)
