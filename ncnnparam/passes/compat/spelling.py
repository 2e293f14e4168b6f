"""Spellings of params: those that a runtime misreads, and those that somebody prefers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.checks.rules import numbers, target_text, text
from ncnnparam.checks.rules.target_rule import FINE, worst
from ncnnparam.errors import ConfigError
from ncnnparam.graph import reprint
from ncnnparam.passes.base import Pass, PassResult
from ncnnparam.passes.compat.base import TargetPass
from ncnnparam.syntax import Param, Style

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer
    from ncnnparam.model import Model

_LONG = (
    "number-of-16-characters",
    "number-of-16-characters-in-last-layer",
    "fraction-of-10-digits",
    "whole-part-over-32-bits",
)
_STYLES = {
    "arrays": {"old": Style.OLD_ARRAY, "new": Style.NEW_ARRAY},
    "strings": {"bare": Style.STRING, "quoted": Style.QUOTED},
}


class LowerSpelling(TargetPass):
    """Spells params so that the target reads them: numbers, arrays, strings, tabs, lines."""

    name = "lower-spelling"

    def run(self, model: Model) -> PassResult:
        """Spells anew what the target misreads, and nothing else."""
        result, graph = PassResult(), model.graph
        strings = self._strings_at_fault(graph)
        for layer in graph:
            old = layer.params.raw
            new = tuple(
                numbers.respelled(layer, param) if self._is_misread(layer, param) else param for param in old
            )
            if layer.name in strings:
                new = _readable_strings(new)
            if new != old:
                layer.params.respell(new)
                result.change(" ".join(param.text for param in new if param not in old) or _MOVED, layer.name)
            if self._line_is_misread(layer):
                reprint(graph, layer)
                result.change("one line, with blanks", layer.name)
        return result

    def _is_misread(self, layer: Layer, param: Param) -> bool:
        read = self.target.feature
        return bool(
            (numbers.junk(param) and read("float-suffix") not in FINE)
            or (numbers.too_long(param) and worst(self.target, *_LONG) not in FINE)
            or (
                numbers.is_new_style(param)
                and worst(self.target, "new-array", "new-array-of-one") not in FINE
            )
            or self._is_int_for_float(layer, param)
        )

    def _is_int_for_float(self, layer: Layer, param: Param) -> bool:
        """Whether the target takes a number for bits, or bits for a number."""
        if not numbers.int_for_float(layer, param):
            return False
        array = isinstance(param.value, tuple)
        takes_bits = self.target.feature("ints-for-floats" if array else "int-for-float") not in FINE
        are_bits = numbers.respelled(layer, param).value != param.value
        return takes_bits != are_bits

    def _line_is_misread(self, layer: Layer) -> bool:
        if layer.origin is None or layer.origin.params != layer.params.raw:
            return False
        read = self.target.feature
        return (text.first_after_tab(layer) is not None and read("tab-between-params") not in FINE) or (
            text.first_continued(layer) is not None and read("continued-params") not in FINE
        )

    def _strings_at_fault(self, graph: Graph) -> set[str]:
        """Names of layers with strings that the target misreads, if it reads any."""
        if self.target.feature("bare-string") not in FINE:
            return set()
        problems = target_text.target_string.find(graph, self.target)
        return {problem.place.layer for problem in problems if problem.place.layer is not None}


_MOVED = "its string stands last"


def _readable_strings(params: tuple[Param, ...]) -> tuple[Param, ...]:
    """Strings bare where the language allows it, the others at the end of the line."""
    bare = [Param.make(param.id, param.value) if param.style is Style.QUOTED else param for param in params]
    return tuple(sorted(bare, key=lambda param: param.style is Style.QUOTED))


class Spell(Pass):
    """Spells arrays and strings in one style.

    Args:
        arrays: ``old`` for ``-23303=2,1,2``, which every release reads, ``new`` for ``3=1,2``, or nothing.
        strings: ``bare`` for ``6=abc``, ``quoted`` for ``6="abc"``, or nothing.
    """

    name = "spell"

    def __init__(self, arrays: str = "", strings: str = "") -> None:
        self._styles: dict[Style, Style] = {}
        for option, word in (("arrays", arrays), ("strings", strings)):
            known = _STYLES[option]
            if word and word not in known:
                raise ConfigError(f"{option} cannot be '{word}'", hint=f"one of {', '.join(known)}")
            self._styles |= {
                style: known[word] for style in known.values() if word and style is not known[word]
            }

    def run(self, model: Model) -> PassResult:
        """Spells anew what is spelled in the other style, as far as the language allows it."""
        result = PassResult()
        for layer in model.graph:
            old = layer.params.raw
            new = tuple(self._respelled(layer, param, result) for param in old)
            if new != old:
                layer.params.respell(new)
                result.change(" ".join(param.text for param in new if param not in old), layer.name)
        return result

    def _respelled(self, layer: Layer, param: Param, result: PassResult) -> Param:
        style = self._styles.get(param.style)
        if style is None:
            return param
        new = Param.make(param.id, param.value, style)
        if new.style is style and new.same_value(param):
            return new
        result.decline(f"{param.text} cannot be spelled so", layer.name)
        return param
