"""Rewrites as passes: hooks, weights, the account, and the end of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import ncnnparam as nnp
from ncnnparam.errors import GraphError, ParseError, PassError, WeightsError
from ncnnparam.model import Model
from ncnnparam.passes.base import PassResult
from ncnnparam.patterns import Match, Rewrite, find_matches, parse_pattern, parse_replacement, replace_match
from tests.graph.short import graph_of, short
from tests.graph.validator import check_sound, snapshot


class _Drop(Rewrite):
    """Takes out what does nothing."""

    name = "drop"
    message = "took out {n}"
    pattern = "Noop n 1 1 x y"
    replacement = "y = x"

    def check(self, match: Match) -> str | None:
        return "is to stay" if match["n"].name == "stays" else None


CHAIN = "Input i 0 1 x / Noop a 1 1 x y / Noop stays 1 1 y z / Noop b 1 1 z w / ReLU r 1 1 w o"


def model_of(body: str) -> Model:
    return Model(graph_of(body))


def notes(result: PassResult) -> tuple[list[str], list[str]]:
    return [str(note) for note in result.changes], [str(note) for note in result.declined]


def test_the_account() -> None:
    model = model_of(CHAIN)
    result = _Drop()(model)
    assert notes(result) == (["a: took out a", "b: took out b"], ["stays: is to stay"])
    assert short(model.graph) == ["i:  -> x", "stays: x -> z", "r: z -> o"]
    assert notes(_Drop()(model)) == ([], ["stays: is to stay"])
    assert (_Drop().summary, repr(_Drop())) == ("Takes out what does nothing", "<pass drop>")


def test_python_alone_can_do_it() -> None:
    class Rename(Rewrite):
        name = "rename"
        pattern = "ReLU r 1 1 x y slope=?s"

        def rewrite(self, match: Match) -> None:
            match.graph.replace(match["r"], "Clip", min=match.params["s"])

    model = model_of(CHAIN)
    assert notes(Rename()(model))[0] == ["r: rewritten"]
    assert model.graph.layer("r").type == "Clip"


def test_the_hook_sees_old_and_new_layers() -> None:
    seen: list[object] = []

    class Fuse(Rewrite):
        name = "fuse"
        pattern = "Noop a 1 1 x y\nNoop b 1 1 y z"
        replacement = "ReLU new 1 1 x z"

        def rewrite(self, match: Match) -> None:
            seen.append((match["a"].graph, match.made["new"].graph is match.graph))

    model = model_of("Input i 0 1 x / Noop a 1 1 x y / Noop b 1 1 y z / ReLU r 1 1 z o")
    assert notes(Fuse()(model))[0] == ["a, b: Noop + Noop -> ReLU"]
    assert seen == [(None, True)]


def test_what_would_never_end_is_stopped() -> None:
    class Round(Rewrite):
        name = "round"
        pattern = "Noop n 1 1 x y"
        replacement = "Noop m 1 1 x y"

    with pytest.raises(PassError, match="no end to 'round'"):
        Round()(model_of(CHAIN))


def test_what_is_there_already_is_no_change() -> None:
    class Set(Rewrite):
        name = "set"
        pattern = "ReLU r 1 1 x y"
        replacement = "ReLU r 1 1 x y **r slope=0.5"

    model = model_of(CHAIN)
    assert Set()(model).modified
    text = nnp.dumps(model)
    assert not Set()(model).modified
    assert nnp.dumps(model) == text


def test_a_pattern_that_is_none_names_the_pass() -> None:
    class Wrong(Rewrite):
        name = "wrong"
        pattern = "ReLU r 1 1 x"

    with pytest.raises(ParseError, match="wrong:1:12"):
        Wrong()(model_of(CHAIN))


# ---- one replacement ---------------------------------------------------------------------------------


def replaced(body: str, pattern: str, replacement: str) -> Model:
    model = model_of(body)
    parsed = parse_pattern(pattern)
    for match in find_matches(model.graph, parsed).matches:
        replace_match(match, parse_replacement(replacement, parsed))
    check_sound(model.graph)
    return model


CONV = "Input i 0 1 x / Convolution c 1 1 x y 0=8 1=3 9=2 -23310=1,0.1 31=2 / ReLU r 1 1 y z 0=0.5"
CONV_RELU = "Convolution c 1 1 x y 0=?n 10=?a\nReLU r 1 1 y z slope=?s\nClip clip? 1 1 z w min=?min"


@pytest.mark.parametrize(
    ("settings", "params"),
    [
        ("", ""),
        ("**c", "0=8 1=3 9=2 -23310=1,0.1 31=2"),
        ("**c activation_type=0 10=", "0=8 1=3 9=0 31=2"),
        ("-23310=2,1,0.5 10=[]", "-23310=0"),
        ("**c **r", "0=0.5 1=3 9=2 -23310=1,0.1 31=2"),
        ("**clip 0=?n", "0=8"),
        ("0={n * 2 + len(a)} 10=?a", "0=17 -23310=1,0.1"),
        ("18=?s activation_type=leakyrelu 10=1,2", "18=0.5 9=2 -23310=2,1,2"),
        ("pad_value=1 activation_params=0.5", "18=1.0 -23310=1,0.5"),
    ],
)
def test_params(settings: str, params: str) -> None:
    model = replaced(CONV, CONV_RELU, f"Convolution c 1 1 x w {settings}")
    assert nnp.dumps(model).splitlines()[-1].split(" 1 1 x z")[1].strip() == params


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("0={n // 0}", "divides by zero"),
        ("0={s + 1}", "formulas compute with ints"),
        ("0=?min", "?min has no value here"),
        ("0={min}", "?min has no value"),
        ("0={n * 1000000000}", "32-bit"),
    ],
)
def test_what_cannot_be_computed_changes_nothing(settings: str, reason: str) -> None:
    class Try(Rewrite):
        name = "try"
        pattern = CONV_RELU
        replacement = f"Convolution c 1 1 x w {settings}"

    model = model_of(CONV)
    before = snapshot(model.graph)
    result = Try()(model)
    assert not result.modified
    assert reason in str(result.declined[0])
    assert snapshot(model.graph) == before


def test_a_group_of_blobs_goes_on() -> None:
    body = "Input i 0 1 x / Split s 1 3 x a b c / Concat cat 3 1 c a b y / Noop n 1 1 y z / Slice e 1 2 z u v"
    pattern = "Concat cat * 1 all y\nNoop n 1 1 y z\nSlice e 1 * z parts"
    model = replaced(body, pattern, "Mish m * * all parts")
    assert short(model.graph)[1:] == ["s: x -> a b c", "m: c a b -> u v"]


def test_two_outputs_that_are_one_blob_are_left_alone() -> None:
    parsed = parse_pattern("ReLU r 1 1 x >y\nNoop n? 1 1 y z")
    (match,) = find_matches(graph_of("Input i 0 1 x / ReLU r 1 1 x y"), parsed).matches
    with pytest.raises(GraphError, match="'z' is the same blob"):
        replace_match(match, parse_replacement("ReLU r 1 1 x y\nNoop m 1 1 y z", parsed))


# ---- weights and numbers -----------------------------------------------------------------------------

FC = """7767517
7 8
Input                    in0                      0 1 in0
InnerProduct             fc_1                     1 1 in0 a 0=4 1=1 2=12
Scale                    scale_2                  1 1 a b 0=4
Split                    splitncnn_0              1 2 b b0 b1
ReLU                     act                      1 1 b0 out0
InnerProduct             fc_2                     1 1 b1 c 0=4 1=0 2=16
Scale                    scale_3                  1 1 c out1 0=4 1=1
"""


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """A pair with random weights, written as ``fc.param`` and ``fc.bin`` where Python runs."""
    monkeypatch.chdir(tmp_path)
    model, random = nnp.loads(FC), np.random.default_rng(5)
    for layer in model.graph:
        for name, count in {
            "fc_1": {"weight_data": 12, "bias_data": 4},
            "fc_2": {"weight_data": 16},
            "scale_2": {"scale_data": 4},
            "scale_3": {"scale_data": 4, "bias_data": 4},
        }.get(layer.name, {}).items():
            layer.weights.put(name, random.normal(size=count).astype(np.float32))
    model.save("fc.param", "fc.bin")
    return nnp.load("fc.param", "fc.bin")


def numbers(name: str) -> dict[str, NDArray[Any]]:
    pytest.importorskip("ncnn")
    from ncnnparam.runtime import run_net

    feed = np.array([0.5, -1.5, 2.0], dtype=np.float32)
    outcome = run_net(f"{name}.param", f"{name}.bin", {"in0": feed}, ["out0", "out1"])
    assert outcome.ok, outcome
    return outcome.outputs


def test_weights_that_are_no_longer_asked_for_go(pair: Model) -> None:
    class NoBias(Rewrite):
        name = "no-bias"
        pattern = "InnerProduct fc 1 1 x y"
        replacement = "InnerProduct fc 1 1 x y **fc bias_term=0"

    NoBias()(pair)
    pair.save("none.param", "none.bin")
    assert [list(layer.weights) for layer in pair.graph.find("InnerProduct")] == [["weight_data"]] * 2


def test_new_layers_need_weights(pair: Model) -> None:
    class New(Rewrite):
        name = "new"
        pattern = "ReLU r 1 1 x y"
        replacement = "PReLU p 1 1 x y num_slope=1"

    New()(pair)
    with pytest.raises(WeightsError, match="'p'"):
        pair.save("new.param", "new.bin")


def test_a_rewrite_keeps_the_numbers(pair: Model) -> None:
    class Apart(Rewrite):
        """Writes a ReLU as the larger of a number and zero times it, with names of its own."""

        name = "apart"
        pattern = "ReLU r 1 1 x y slope=0"
        replacement = """
            BinaryOp  zero  1 1  x z    op_type=mul with_scalar=1 b=0.0
            BinaryOp  max   2 1  x z y  op_type=max
        """

    before = numbers("fc")
    assert Apart()(pair).modified
    pair.save("after.param", "after.bin")
    for name, array in numbers("after").items():
        np.testing.assert_allclose(array, before[name], rtol=1e-5, atol=1e-6)


def test_the_page(pair: Model, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import re

    text = (root / "docs/patterns.md").read_text(encoding="utf-8")
    before = numbers("fc")
    names: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S):
        exec(compile(block, "docs/patterns.md", "exec"), names)
    assert capsys.readouterr().out.splitlines()[0] == "fc_1, scale_2: folded scale_2 into fc_1"
    fused = nnp.load("fused.param", "fused.bin").graph
    assert [layer.name for layer in fused] == ["in0", "fc_1", "splitncnn_0", "act", "fc_2", "scale_3"]
    for name, array in numbers("fused").items():
        np.testing.assert_allclose(array, before[name], rtol=1e-5, atol=1e-6)


def test_the_rules_of_the_page(root: Path) -> None:
    import re

    from ncnnparam.patterns import parse_rules

    text = (root / "docs/patterns.md").read_text(encoding="utf-8")
    files = re.findall(r"^```\n(---.*?)^```$", text, re.M | re.S)
    assert [rule.name for file in files for rule in parse_rules(file)] == [
        "fuse-relu",
        "drop-dropout",
        "sigmoid-mul-to-swish",
    ]
