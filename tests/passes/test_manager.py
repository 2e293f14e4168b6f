"""Pipelines run on a copy, are verified step by step, and settle or say that they do not."""

from __future__ import annotations

import pytest

import ncnnparam as nnp
from ncnnparam.passes import PassError, PassManager, PassResult, Step, graph_pass
from ncnnparam.runtime.compare import same_numbers

MODEL = "7767517\n3 3\nInput in0 0 1 in0\nReLU relu 1 1 in0 a\nSigmoid s 1 1 a out0\n"


@graph_pass
def count_up(model: nnp.Model) -> bool:
    """Adds one to a param, for ever."""
    layer = model.graph.layer("relu")
    layer.params[29] = layer.params.get(29, 0) + 1
    return True


@graph_pass
def once(model: nnp.Model) -> PassResult:
    """Sets a slope, once."""
    result = PassResult()
    if model.graph.layer("relu")["slope"] != 0.5:
        model.graph.layer("relu")["slope"] = 0.5
        result.change("slope is 0.5", "relu")
    return result


@graph_pass
def wreck(model: nnp.Model) -> bool:
    """Gives a layer a param that ncnn refuses."""
    model.graph.layer("relu").params[0] = (1, 2)
    return True


@graph_pass
def fail(model: nnp.Model) -> bool:
    """Asks for a layer that is not there."""
    model.graph.layer("nope")
    return True


def test_the_model_itself_stays() -> None:
    model = nnp.loads(MODEL)
    report = PassManager([once])(model)
    assert nnp.dumps(model) == MODEL
    assert report.modified
    assert report.model.graph.layer("relu")["slope"] == 0.5
    (step,) = report.steps
    assert (step.name, step.layers, [str(note) for note in step.result.changes]) == (
        "once",
        (3, 3),
        ["relu: slope is 0.5"],
    )


def test_until_stable() -> None:
    report = PassManager([once], until_stable=True)(nnp.loads(MODEL))
    assert [step.result.modified for step in report.steps] == [True, False]
    with pytest.raises(PassError, match="still changes the model after 20 rounds: once, count-up"):
        PassManager([once, count_up], until_stable=True)(nnp.loads(MODEL))


def test_a_pass_that_breaks_the_model_is_caught() -> None:
    assert PassManager([wreck])(nnp.loads(MODEL)).modified
    with pytest.raises(PassError, match="the pass wreck broke the model: NP4") as caught:
        PassManager([once, wreck], verify=True)(nnp.loads(MODEL))
    assert caught.value.name == "wreck"


def test_errors_that_were_there_before_are_not_blamed_on_a_pass() -> None:
    broken = nnp.loads(MODEL)
    wreck(broken)
    assert PassManager([once], verify=True)(broken).modified is True


def test_a_pass_that_fails_is_named() -> None:
    with pytest.raises(PassError, match=r"the pass fail failed: .*'nope'"):
        PassManager([fail])(nnp.loads(MODEL))


def test_a_pass_keeps_the_code_of_its_error() -> None:
    @graph_pass
    def reads_a_file(model: nnp.Model) -> bool:
        return nnp.load("no such.param") is model

    with pytest.raises(PassError, match=r"reads-a-file failed: cannot read no such\.param") as caught:
        PassManager([reads_a_file])(nnp.loads(MODEL))
    assert caught.value.code == "NP801"


def test_a_pass_with_a_fault_of_its_own_is_named_and_its_place_told() -> None:
    @graph_pass
    def stumble(model: nnp.Model) -> bool:
        return bool([][0])

    with pytest.raises(PassError, match="the pass stumble failed: IndexError: list index") as caught:
        PassManager([stumble])(nnp.loads(MODEL))
    assert caught.value.hint is not None
    assert "test_manager.py:" in caught.value.hint
    assert isinstance(caught.value.__cause__, IndexError)


def test_steps_are_observed() -> None:
    seen: list[tuple[str, object]] = []

    def observe(step: Step, model: nnp.Model) -> None:
        seen.append((step.name, model.graph.layer("relu")["slope"]))

    PassManager([once, once], observe=observe)(nnp.loads(MODEL))
    assert seen == [("once", 0.5), ("once", 0.5)]


def test_numbers_are_verified_on_the_real_ncnn() -> None:
    pytest.importorskip("ncnn")
    shapes = {"in0": (4, 5)}

    @graph_pass
    def rename(model: nnp.Model) -> bool:
        """Renames a layer."""
        model.graph.layer("relu").name = "other"
        return True

    assert PassManager([rename], verify=same_numbers(shapes))(nnp.loads(MODEL)).modified
    with pytest.raises(PassError, match="the pass once broke the model: the output 'out0' is off by up to"):
        PassManager([once], verify=same_numbers(shapes))(nnp.loads(MODEL))
