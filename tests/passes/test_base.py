"""What a pass is."""

from __future__ import annotations

import ncnnparam as nnp
from ncnnparam.passes import Note, Pass, PassResult, graph_pass

MODEL = "7767517\n2 2\nInput in0 0 1 in0\nReLU relu 1 1 in0 out0\n"


class Slow(Pass):
    """Sets every slope.

    And more text.
    """

    name = "slow"

    def run(self, model: nnp.Model) -> bool:
        model.graph.layer("relu")["slope"] = 0.5
        return True


def test_a_class_is_a_pass_and_gives_an_account_in_any_case() -> None:
    model = nnp.loads(MODEL)
    result = Slow()(model)
    assert (result.modified, result.changes, result.declined) == (True, [], [])
    assert model.graph.layer("relu")["slope"] == 0.5
    assert Slow().summary == "Sets every slope"
    assert repr(Slow()) == "<pass slow>"


def test_a_function_is_a_pass() -> None:
    @graph_pass
    def _do_nothing(model: nnp.Model) -> PassResult:
        """Does nothing."""
        result = PassResult()
        result.decline("no wish to", "relu")
        return result

    assert (_do_nothing.name, _do_nothing.summary) == ("do-nothing", "Does nothing")
    result = _do_nothing(nnp.loads(MODEL))
    assert not result.modified
    assert result.declined == [Note(("relu",), "no wish to")]


def test_notes_in_words() -> None:
    result = PassResult()
    result.change("fused", "a", "b")
    result.change("all done")
    assert result.modified
    assert [str(note) for note in result.changes] == ["a, b: fused", "all done"]
