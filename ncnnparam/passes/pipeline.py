"""Pipelines as text: ``fuse-batchnorm,fold-constants{most=1000}`` (``grammar/pipeline.lark``)."""

from __future__ import annotations

from lark import Token, Tree
from lark.exceptions import UnexpectedInput

from ncnnparam.errors import ConfigError, excerpt
from ncnnparam.passes import catalog
from ncnnparam.passes.base import Pass
from ncnnparam.syntax.grammar import parser

_WORDS = {"true": True, "false": False}


def parse_pipeline(text: str) -> list[Pass]:
    """The passes of a pipeline, in order.

    Args:
        text: Names of passes, of families (``optimize``) or globs (``fuse-*``), with commas between them
            and options in braces.

    Raises:
        ConfigError: The text is no pipeline, there is no such pass, or it does not take an option.
    """
    try:
        tree = parser("pipeline").parse(text, start="pipeline")
    except UnexpectedInput as error:
        line = text.splitlines()[error.line - 1] if 0 < error.line <= len(text.splitlines()) else text
        shown = "\n".join(excerpt(line, max(error.column, 1)))
        hint = "write names with commas between them, options in braces: a,b{most=1000}"
        raise ConfigError(f"this is no pipeline of passes:\n{shown}", hint=hint) from None
    return [one for node in tree.children if isinstance(node, Tree) for one in _passes(node)]


def _passes(node: Tree[Token]) -> list[Pass]:
    name, *options = node.children
    given: dict[str, int | float | bool | str] = {}
    for option in options:
        assert isinstance(option, Tree)
        key, value = option.children
        if str(key) in given:
            raise ConfigError(f"the option '{key}' of {name} is given twice")
        assert isinstance(value, Token)
        given[str(key)] = _value(value)
    factories = catalog.find(str(name))
    if given and len(factories) > 1:
        raise ConfigError(f"'{name}' stands for several passes, which cannot share options")
    return [catalog.make(factory, given) for factory in factories]


def _value(token: Token) -> int | float | bool | str:
    if token.type == "NUMBER":
        return int(token) if token.lstrip("+-").isdigit() else float(token)
    if token.type == "STRING":
        return str(token)[1:-1]
    return _WORDS.get(str(token), str(token))
