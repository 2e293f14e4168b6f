"""The layers of a graph that a selector means."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import translate

from ncnnparam.errors import NotFoundError, did_you_mean
from ncnnparam.graph import Blob, Graph, Layer
from ncnnparam.graph.arrange import needed_layers
from ncnnparam.ops import registry
from ncnnparam.selectors.parse import fault, parse
from ncnnparam.selectors.selector import Both, Not, Place, Reach, Selector, Trait, Types, Word
from ncnnparam.selectors.traits import NUMBERS, TEXTS

Test = Callable[[Layer], bool]

_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def select(graph: Graph, text: str) -> list[Layer]:
    """The layers that a selector means, in the order of the graph.

    Args:
        graph: The graph.
        text: ``Convolution[kernel_w=3] and after(in0)`` for example; see ``docs/selectors.md``.

    Raises:
        ParseError: It is no selector, or there is no such type or param; the error has the place.
        NotFoundError: The graph has no layer or blob of a name that stands in it.
    """
    test = _Meaning(graph, text).test(parse(text))
    return [layer for layer in graph if test(layer)]


class _Meaning:
    """What selectors mean in one graph."""

    def __init__(self, graph: Graph, text: str) -> None:
        self.graph = graph
        self.text = text
        self.types = {layer.type for layer in graph}

    def test(self, selector: Selector) -> Test:
        """Tells whether a selector means a layer."""
        if isinstance(selector, Types):
            return self._types(selector)
        if isinstance(selector, Trait):
            return self._text(selector) if selector.name in TEXTS else self._number(selector)
        if isinstance(selector, Reach):
            return self._reach(selector).__contains__
        if isinstance(selector, Not):
            denied = self.test(selector.term)
            return lambda layer: not denied(layer)
        tests = [self.test(term) for term in selector.terms]
        if isinstance(selector, Both):
            return lambda layer: all(test(layer) for test in tests)
        return lambda layer: any(test(layer) for test in tests)

    def _types(self, selector: Types) -> Test:
        self._check_types(selector.words)
        types, conditions = set(filter(_matching(selector.words), self.types)), selector.conditions
        return lambda layer: layer.type in types and all(one.holds(layer, {}) for one in conditions)

    def _text(self, trait: Trait) -> Test:
        if trait.name == "type":
            self._check_types(trait.words)
        else:
            self._check_names(trait.words)
        of, matches, wanted = TEXTS[trait.name], _matching(trait.words), trait.compare == "="
        return lambda layer: matches(of(layer)) == wanted

    def _number(self, trait: Trait) -> Test:
        of, holds = NUMBERS[trait.name](self.graph), _COMPARISONS[trait.compare]
        numbers = [int(word.text) for word in trait.words]
        enough = all if trait.compare == "!=" else any

        def test(layer: Layer) -> bool:
            found = of(layer)
            return found is not None and enough(holds(found, number) for number in numbers)

        return test

    def _reach(self, selector: Reach) -> set[Layer]:
        if selector.function == "after":
            return _after(self._written(selector.places[0]))
        if selector.function == "before":
            return _before(self._read(selector.places[0]))
        start, end = selector.places
        return _after(self._written(start)) & _before(self._read(end))

    def _written(self, place: Place) -> Iterator[Blob]:
        """The blobs of a place to go down from: the blob itself, or what its layers write."""
        for found in self._at(place):
            yield from [found] if isinstance(found, Blob) else found.outputs

    def _read(self, place: Place) -> Iterator[Blob]:
        """The blobs of a place to go up from: the blob itself, or what its layers read."""
        for found in self._at(place):
            yield from [found] if isinstance(found, Blob) else found.inputs

    def _at(self, place: Place) -> Iterable[Layer | Blob]:
        """The layers of a place, or its blob."""
        name = _name(place)
        if name is not None and self.graph.has_layer(name):
            return [self.graph.layer(name)]
        if name is not None and self.graph.has_blob(name):
            return [self.graph.blob(name)]
        if isinstance(place, Word) or (name is not None and not self._is_type(name)):
            known = [layer.name for layer in self.graph] + [blob.name for blob in self.graph.blobs]
            hint = did_you_mean(name or "", dict.fromkeys([*known, *self.types, *registry.names()]))
            kinds = "layer or blob" if isinstance(place, Word) else "layer, blob or type"
            raise NotFoundError(f"there is no {kinds} '{name}'", hint=hint)
        return filter(self.test(place), self.graph)

    def _is_type(self, name: str) -> bool:
        return name in self.types or registry.get(name) is not None

    def _check_types(self, words: tuple[Word, ...]) -> None:
        """Raises ParseError for a type that neither the registry nor the graph knows."""
        for word in words:
            if word.is_glob or self._is_type(word.text):
                continue
            if self.graph.has_layer(word.text):
                hint: str | None = f"there is a layer of that name: name={word}"
            else:
                hint = did_you_mean(word.text, [*self.types, *registry.names()])
            raise fault(self.text, word.column, f"there is no layer type '{word.text}'", hint=hint)

    def _check_names(self, words: tuple[Word, ...]) -> None:
        for word in words:
            if not word.is_glob:
                self.graph.layer(word.text)


def _name(place: Place) -> str | None:
    """The name that a place may be; the same text may mean a type."""
    if isinstance(place, Types) and len(place.words) == 1 and not place.conditions:
        (place,) = place.words
    return place.text if isinstance(place, Word) and not place.is_glob else None


def _matching(words: tuple[Word, ...]) -> Callable[[str], bool]:
    """Tells whether a text is one of some words, or matches a glob among them."""
    exact = {word.text for word in words if not word.is_glob}
    globs = [re.compile(translate(word.text)).match for word in words if word.is_glob]
    return lambda text: text in exact or any(matches(text) for matches in globs)


def _after(blobs: Iterable[Blob]) -> set[Layer]:
    """The layers that depend on some blobs."""
    found: set[Layer] = set()
    pending = list(blobs)
    while pending:
        for layer in pending.pop().consumers:
            if layer not in found:
                found.add(layer)
                pending += layer.outputs
    return found


def _before(blobs: Iterable[Blob]) -> set[Layer]:
    """The layers that some blobs depend on."""
    return set(needed_layers(blobs).values())
