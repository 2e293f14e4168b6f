"""Which layer types a line of a pattern takes: a name, a glob, or several of them."""

from __future__ import annotations

import re
from fnmatch import translate

from ncnnparam.graph import SPLIT

_GLOB = re.compile(r"[*?\[]")


class TypeTest:
    """``Convolution``, ``Conv*`` or ``Convolution|InnerProduct``; no Split passes, they are seen through.

    Attributes:
        text: As it was written.
        names: The types it names in full.
    """

    __slots__ = ("_globs", "_known", "names", "text")

    def __init__(self, text: str) -> None:
        words = text.split("|")
        self.text = text
        self.names = tuple(word for word in words if not _GLOB.search(word))
        self._globs = [re.compile(translate(word)).match for word in words if _GLOB.search(word)]
        self._known = {SPLIT: False} | dict.fromkeys(self.names, True)

    @property
    def open(self) -> bool:
        """Whether types may pass that are not named in full."""
        return bool(self._globs)

    def __call__(self, type: str) -> bool:
        """Whether a type passes."""
        answer = self._known.get(type)
        if answer is None:
            answer = self._known[type] = any(matches(type) for matches in self._globs)
        return answer

    def __str__(self) -> str:
        return "any type" if self.text == "*" else self.text.replace("|", " or ")
