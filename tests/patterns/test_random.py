"""Rewriting random networks by rules that keep the meaning: it is kept, and the graph stays sound."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings

import ncnnparam as nnp
from ncnnparam import checks
from ncnnparam.checks import Severity
from ncnnparam.errors import PassError
from ncnnparam.graph import Graph
from ncnnparam.patterns import RuleRewrite, parse_rules
from tests.graph.validator import check_links, check_sound
from tests.patterns.nets import Meaning, broken_networks, networks

RULES = {
    rule.name: rule
    for rule in parse_rules(
        """
        --- drop
        Noop|Dropout n 1 1 x y
        =>
        y = x

        --- drop chains
        Noop|Dropout first 1 1 x y
        Noop|Dropout rest* 1 1 y z
        =>
        z = x

        --- fuse
        ReLU a 1 1 x y
        ReLU b 1 1 y z
        =>
        ReLU a 1 1 x z **a

        --- fuse into the lower
        ReLU a 1 1 x y
        Noop|Dropout between* 1 1 y z
        ReLU b+ 1 1 z w
        =>
        ReLU relu 1 1 x w

        --- swish
        Sigmoid s 1 1 x y
        BinaryOp m 2 1 {x y} z op_type=mul
        =>
        Swish swish 1 1 x z

        --- swish apart
        Swish s 1 1 x y
        =>
        Sigmoid sigmoid 1 1 x t
        BinaryOp mul 2 1 x t y op_type=2

        --- once
        Sigmoid|ReLU|Swish a 1 1 x >y
        Sigmoid|ReLU|Swish b 1 1 x >z
        BinaryOp op 2 1 {y z} w featmask=0
        =>
        *        a  1 1 x y **a
        *        b  1 1 x z **b
        BinaryOp op 2 1 z y w **op featmask=1

        --- same once
        Sigmoid a 1 1 x y
        Sigmoid b 1 1 x z
        =>
        Sigmoid a 1 1 x y **a
        z = y

        --- turn
        BinaryOp op 2 1 a b c featmask=0
        ReLU r? 1 1 c d
        ReLU q+ 1 1 d e
        =>
        BinaryOp op 2 1 b a t **op featmask=1
        ReLU relu 1 1 t e

        --- read inside
        BinaryOp op 2 1 a b >c
        Dropout n 1 1 c d
        =>
        BinaryOp op 2 1 b a c **op
        Noop n 1 1 c d

        --- read an output
        ReLU a 1 1 x y
        ReLU b 1 1 x z
        =>
        ReLU a 1 1 x y **a
        ReLU b 1 1 y z **b
        """
    )
}


@pytest.mark.parametrize("name", RULES)
@given(graph=networks())
@settings(max_examples=60)
def test_meaning_is_kept(name: str, graph: Graph) -> None:
    meaning = Meaning()
    before = meaning.outputs(graph)
    layers = len(graph)
    result = RuleRewrite(RULES[name]).apply(graph)
    check_sound(graph)
    assert meaning.outputs(graph) == before
    assert result.modified == bool(result.changes)
    assert [finding for finding in checks.check(graph) if finding.severity is Severity.ERROR] == []
    if name.startswith(("drop", "fuse")):
        assert len(graph) <= layers
    text = nnp.dumps(graph)
    again = RuleRewrite(RULES[name]).apply(graph)
    assert not again.modified
    assert nnp.dumps(graph) == text


@pytest.mark.parametrize("name", RULES)
@given(graph=broken_networks())
@settings(max_examples=40)
def test_broken_networks_do_not_get_worse(name: str, graph: Graph) -> None:
    with suppress(PassError):  # some rule may turn in a circle of layers
        RuleRewrite(RULES[name]).apply(graph)
    check_links(graph)
