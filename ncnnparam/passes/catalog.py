"""The passes there are, by name: those of this package, those of plugins, and any in a Python module."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TypeAlias

from ncnnparam.errors import ConfigError, NcnnParamError, did_you_mean
from ncnnparam.passes.base import Pass, graph_pass

Factory: TypeAlias = Callable[..., Pass]
"""Makes a pass; its keyword arguments are the options of the pass."""

ENTRY_POINTS = "ncnnparam.passes"
"""The group in which a plugin names its passes: ``name = "package.module:Name"``."""
FAMILIES = ("optimize", "compat", "pnnx")
"""Packages under ``ncnnparam.passes`` with a tuple ``PASSES``; a family's name stands for all of them.
Those in a tuple ``APART`` are run only if they are asked for by their own names."""
ABOVE = {"fold-constants": "ncnnparam.runtime.fold:FoldConstants"}
"""Passes of the floors above, and where they are; like those of plugins they are imported when asked for."""


@cache
def _own(family: str, which: str = "PASSES") -> Mapping[str, Factory]:
    """The passes of a family, which is imported when the first of them is asked for."""
    passes = getattr(import_module(f"ncnnparam.passes.{family}"), which, ())
    return {one.name: _factory(one, one.name) for one in passes}


@cache
def _of_plugins() -> Mapping[str, str]:
    """What plugins and the floors above offer: name -> ``package.module:Name``; nothing is imported."""
    return ABOVE | {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}


def names() -> list[str]:
    """Names of all passes: family by family, then those of plugins."""
    own = [name for family in FAMILIES for which in ("PASSES", "APART") for name in _own(family, which)]
    return [*own, *sorted(_of_plugins())]


def families() -> dict[str, list[str]]:
    """The families, with the names of their passes in the order in which they are run."""
    return {family: list(_own(family)) for family in FAMILIES}


def find(name: str) -> list[Factory]:
    """The passes that a word of a pipeline stands for, in order.

    Args:
        name: A pass, a family, or a glob such as ``fuse-*``.

    Raises:
        ConfigError: There is none, or a plugin's pass cannot be imported.
    """
    if name in FAMILIES:
        return list(_own(name).values())
    for family in FAMILIES:
        for which in ("PASSES", "APART"):
            if name in _own(family, which):
                return [_own(family, which)[name]]
    if name in _of_plugins():
        return [load(_of_plugins()[name], name=name)]
    matching = [other for other in names() if "*" in name and fnmatchcase(other, name)]
    if not matching:
        known = [*names(), *FAMILIES]
        hint = did_you_mean(name, known) or "ncnnparam passes lists them"
        raise ConfigError(f"there is no pass '{name}'", hint=hint)
    return [factory for other in matching for factory in find(other)]


def make(factory: Factory, options: Mapping[str, int | float | bool | str]) -> Pass:
    """A pass with its options.

    Raises:
        ConfigError: It does not take them.
    """
    signature = inspect.signature(factory)
    for key in options:
        if key not in signature.parameters:
            hint = did_you_mean(key, signature.parameters) or (
                f"it takes: {', '.join(signature.parameters)}" if signature.parameters else "it takes none"
            )
            raise ConfigError(f"the pass {_called(factory)} has no option '{key}'", hint=hint)
    try:
        return factory(**options)
    except NcnnParamError:
        raise
    except Exception as error:  # a pass may be anybody's code, here and where it is imported
        raise ConfigError(f"the pass {_called(factory)}: {error}") from error


def load(place: str, *, name: str = "") -> Factory:
    """A pass out of a Python module, which is imported; the current folder is searched too.

    Args:
        place: ``package.module:Name``, a ``Pass`` class, an instance of one, or a plain function.
        name: What to call a plain function.

    Raises:
        ConfigError: There is no such thing, or it is no pass.
    """
    module, colon, attribute = place.partition(":")
    if not colon or not attribute or not module:
        raise ConfigError(f"'{place}' names no pass", hint="write package.module:Name")
    sys.path.insert(0, os.getcwd())
    try:
        thing: object = import_module(module)
        for part in attribute.split("."):
            thing = getattr(thing, part)
    except Exception as error:
        raise ConfigError(f"cannot import the pass {place}: {error}") from error
    finally:
        sys.path.remove(os.getcwd())
    return _factory(thing, place, name)


def describe(passes: Iterable[Factory]) -> list[tuple[str, str]]:
    """Name and summary of each pass."""
    made = [make(factory, {}) for factory in passes]
    return [(one.name, one.summary) for one in made]


def _factory(thing: object, place: str, name: str = "") -> Factory:
    if isinstance(thing, Pass):
        ready = thing
        return lambda: ready
    if isinstance(thing, type) and issubclass(thing, Pass):
        return thing
    if callable(thing) and not isinstance(thing, type):
        made = graph_pass(thing)
        made.name = name or made.name
        return lambda: made
    raise ConfigError(f"{place} is no pass", hint="it must be a Pass, an instance of one, or a function")


def _called(factory: Factory) -> str:
    return str(getattr(factory, "name", "") or getattr(factory, "__name__", factory))
