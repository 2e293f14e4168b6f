"""Each pass of the family by itself: what it makes of a model, with the same numbers, and once only."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncnnparam import Model, dumps
from ncnnparam.passes import Pass, catalog, parse_pipeline

from ..optimize.nets import assert_same_numbers, model, run

ALONE = Path(__file__).parent / "alone"
PIPELINES = {
    "renew-names": "renew-names",
    "renew-axes": "renew-axes",
    "lower-batch-axes": "lower-batch-axes{target=ncnn-20250916}",
    "lower-types": "lower-types{target=ncnn-20220729}",
    "lower-activations": "lower-activations{target=sherpa-ncnn-2.1.15}",
    "lower-vectors": "lower-vectors{target=ncnn-20230517}",
    "lower-storage": "lower-storage{target=ncnn-20230816}",
    "lower-spelling": "lower-spelling{target=ncnn-20240410}",
    "spell": "spell{arrays=new,strings=quoted}",
}
REFUSED = {
    "renew-names": "no release that can be run has LSTM2",
    "renew-axes": "without 1=1 and 5=1 every release refuses the model",
}
"""Passes whose model before gives no numbers to compare, and why."""


def before(name: str) -> Model:
    return model((ALONE / f"{name}.param").read_text().split("\n", 2)[2])


def one_pass(name: str) -> Pass:
    (one,) = parse_pipeline(PIPELINES[name])
    return one


def test_every_pass_is_here() -> None:
    assert {*PIPELINES, "lower"} == set(catalog.families()["compat"])  # lower runs them: test_cases


@pytest.mark.parametrize("name", PIPELINES)
def test_golden(name: str) -> None:
    original, one = before(name), one_pass(name)
    if name in REFUSED:  # the errors of such a model are not new ones
        made = Model(original.graph.copy())
        assert one(made).modified
    else:
        pytest.importorskip("ncnn")
        made, result = run(one, original)
        assert result.modified
        assert_same_numbers(original, made)
    assert dumps(made) == (ALONE / f"{name}.after.param").read_text()
    text = dumps(made)
    assert not one(made).modified
    assert dumps(made) == text


@pytest.mark.parametrize("name", [name for name in PIPELINES if name != "spell"])
def test_the_newest_release_reads_the_outcome_as_it_is(name: str) -> None:
    """What a pass has made it declines to make again for a runtime that lacks nothing."""
    (one,) = parse_pipeline(name if name.startswith("renew") else name + "{target=latest}")
    made, _ = run(one_pass(name), before(name))
    assert not one(made).modified
