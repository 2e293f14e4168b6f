"""The methods of searching, by name."""

from __future__ import annotations

from ncnnparam.errors import ConfigError, did_you_mean
from ncnnparam.speech.greedy import Greedy
from ncnnparam.speech.modified_beam import BEAM, ModifiedBeam
from ncnnparam.speech.nets import Nets, Search

__all__ = ["BEAM", "GREEDY", "METHODS", "MODIFIED_BEAM", "require_method", "start_search"]

GREEDY, MODIFIED_BEAM = "greedy", "modified-beam"
METHODS = (GREEDY, MODIFIED_BEAM)


def require_method(method: str) -> None:
    """Makes sure that there is such a method.

    Raises:
        ConfigError: There is none.
    """
    if method not in METHODS:
        known = f"there are {' and '.join(METHODS)}"
        raise ConfigError(f"there is no method '{method}'", hint=did_you_mean(method, METHODS) or known)


def start_search(nets: Nets, method: str = GREEDY, beam: int = BEAM) -> Search:
    """A search at the begin of an utterance.

    Args:
        nets: The transducer.
        method: One of ``METHODS``.
        beam: Texts that the beam search follows.

    Raises:
        ConfigError: There is no such method.
    """
    require_method(method)
    return Greedy(nets) if method == GREEDY else ModifiedBeam(nets, beam)
