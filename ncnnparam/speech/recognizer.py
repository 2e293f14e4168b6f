"""A recogniser on ncnn's Python package, which gives what sherpa-ncnn gives."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from ncnnparam.speech.files import ModelFiles, read_words
from ncnnparam.speech.heard import Heard
from ncnnparam.speech.methods import BEAM, GREEDY, require_method, start_search
from ncnnparam.speech.stream import TAIL, Stream, listen
from ncnnparam.speech.transducer import load_transducer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Recognizer:
    """A model that is loaded, for any number of utterances, also at the same time.

    Args:
        model: Its files.
        method: ``greedy`` or ``modified-beam``.
        beam: Texts that the beam search follows.
        threads: Threads for each net.

    Raises:
        ConfigError: There is no such method, or ``tokens.txt`` is not in order or of another model.
        FileError: A file is not there.
        MetadataError: The encoder has no metadata.
        NcnnParamError: ncnn cannot load a net, or is not installed.
    """

    def __init__(
        self, model: ModelFiles, *, method: str = GREEDY, beam: int = BEAM, threads: int = 1
    ) -> None:
        require_method(method)
        model.require()
        self.words = read_words(model)
        self._method, self._beam = method, beam
        self._nets = load_transducer(model.nets, threads=threads)

    def stream(self) -> Stream:
        """An utterance at its begin."""
        return Stream(self._nets, start_search(self._nets, self._method, self._beam), self.words)

    def hear(
        self,
        name: str,
        samples: NDArray[np.float32],
        *,
        tail: int = TAIL,
        partial: Callable[[Stream], object] | None = None,
    ) -> Heard:
        """What is in a wav.

        Args:
            name: Its name.
            samples: Its samples, between -1 and 1.
            tail: Zeros to put behind them.
            partial: Is told of the stream now and then while it listens.

        Raises:
            NcnnParamError: ncnn cannot compute a blob.
        """
        return listen(self.stream, name, samples, tail=tail, partial=partial)

    def close(self) -> None:
        """Frees the nets."""
        self._nets.close()

    def __enter__(self) -> Recognizer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
