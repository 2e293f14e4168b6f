"""Rules for one runtime: each fault is found for the targets that have it, and for no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncnnparam.checks import RULES, check
from ncnnparam.checks.rules.target import TARGET_RULES, for_target, target_rules
from ncnnparam.checks.rules.target_graph import INSTEAD
from ncnnparam.graph import Graph
from ncnnparam.model import load
from ncnnparam.ops import registry, versions
from ncnnparam.ops.versions import Target, target

from .cases import graph_of

OLDEST, SHERPA, NEWEST = "ncnn-20210525", "sherpa-ncnn-2.1.15", "ncnn-20261020"
HEAD = "7767517\n"
INPUT = "Input in0 0 1 in0\n"


def model(*lines: str, counts: str = "") -> str:
    """A file with one input, and layers with one output each."""
    size = len(lines) + 1
    return "\n".join([HEAD + (counts or f"{size} {size}"), INPUT + "\n".join(lines), ""])


def codes(graph: Graph, name: str) -> list[str]:
    return [finding.code for finding in check(graph, rules=for_target(RULES, target(name)))]


def text_codes(text: str, name: str) -> list[str]:
    return codes(graph_of(text), name)


def affected(graph: Graph, code: str) -> list[str]:
    """The releases for which a rule finds something."""
    (rule,) = (one for one in TARGET_RULES if one.rule.code == code)
    names = [name for name in versions.targets() if name.startswith("ncnn-")]
    return [name.removeprefix("ncnn-") for name in names if list(rule.on(target(name)).check(graph))]


RELU = "ReLU relu 1 1 in0 out0"
# what is at fault, the code, and the first and the last release with the fault
FAULTS = [
    (model("CELU x 1 1 in0 out0"), "NP501", "20210525", "20230816"),
    (model("SDPA x 1 1 in0 out0"), "NP501", "20210525", "20250916"),
    (model("Reshape x 1 1 in0 out0 0=2 12=0"), "NP502", "20210525", "20260526"),
    (model("Reshape x 1 1 in0 out0 0=2 13=1"), "NP502", "20210525", "20260526"),
    (model("Gemm x 1 1 in0 out0 5=1 8=2 9=2"), "NP502", "20210525", "20221128"),
    (model("ExpandDims x 1 1 in0 out0 0=1"), "NP502", "20260114", "20261020"),
    (model("BinaryOp x 1 1 in0 out0 0=9 1=1 2=2.0"), "NP503", "20210525", "20221128"),
    (model("UnaryOp x 1 1 in0 out0 0=20"), "NP503", "20210525", "20260114"),
    (model(RELU, counts="2 1"), "NP504", "20210525", "20260526"),
    (model("ReLU relu 1 1 nowhere out0", counts="2 2"), "NP504", "20210525", "20260526"),
    (model("ReLU b 1 1 a out0", "ReLU a 1 1 in0 a"), "NP504", "20210525", "20260526"),
    (model(f"{RELU} 32=1"), "NP504", "20210525", "20250916"),
    (model("MemoryData m 0 1 m 0=160", "BinaryOp x 2 1 in0 m out0 0=0"), "NP506", "20210525", "20230517"),
    (model(f"{RELU} 0=0.10000000000000"), "NP507", "20210525", "20260526"),
    (model(f"{RELU} 0=1.2345678901"), "NP507", "20210525", "20260526"),
    (model(f"{RELU} 0=12345678901.0"), "NP507", "20210525", "20260526"),
    (model(f"{RELU} 0=1"), "NP507", "20210525", "20260526"),
    (model("Eltwise x 1 1 in0 out0 0=1 -23301=2,1,2"), "NP507", "20210525", "20260526"),
    (model(f"{RELU} 0=1036831949"), "NP507", "20261020", "20261020"),  # the bits of 0.1
    (model("BinaryOp x 1 1 in0 out0 0=2 1=1\t2=0.5"), "NP508", "20250428", "20260526"),
    (model(f"{RELU} 5=abc"), "NP509", "20210525", "20241226"),
    (model(f'{RELU} 5="abc"'), "NP509", "20210525", "20241226"),
    (model(f'{RELU} 5="abc" 0=0.5'), "NP509", "20210525", "20250916"),
    (model(f'{RELU} 5="12345678901234" 0=0.5'), "NP509", "20210525", "20260526"),
    (model("Eltwise x 1 1 in0 out0 0=1 1=0.5,0.25"), "NP510", "20210525", "20241226"),
    (model("Eltwise x 1 1 in0 out0 0=1 1=2,0.25"), "NP510", "20210525", "20260526"),
]


@pytest.mark.parametrize(("text", "code", "first", "last"), FAULTS, ids=lambda value: value[-40:].strip())
def test_a_fault_is_found_for_the_releases_that_have_it(text: str, code: str, first: str, last: str) -> None:
    assert affected(graph_of(text), code) == [day for day in versions.releases() if first <= day <= last]


def test_bf16_weights_are_found_for_the_releases_that_lack_them(tmp_path: Path) -> None:
    param, weights = tmp_path / "m.param", tmp_path / "m.bin"
    param.write_text(model("InnerProduct fc 1 1 in0 out0 0=1 2=2"))
    weights.write_bytes(bytes.fromhex("838b3401803f0040"))
    graph = load(param, weights).graph
    assert affected(graph, "NP505") == list(versions.releases()[:-1])
    weights.write_bytes(bytes.fromhex("476b3001003c0040"))
    assert affected(load(param, weights).graph, "NP505") == []


SPELLINGS = [
    (model(f"{RELU} 0=1.2345678901"), "NP106", "NP507"),
    (model(f"{RELU} 0=1"), "NP115", "NP507"),
    (model(f"{RELU} 5=abc"), "NP107", "NP509"),
    (model(f'{RELU} 5="abc" 0=0.5'), "NP108", "NP509"),
    (model("Eltwise x 1 1 in0 out0 0=1 1=0.5,0.25"), "NP111", "NP510"),
    (model("BinaryOp x 1 1 in0 out0 0=2 1=1\t2=0.5"), "NP110", "NP508"),
]


@pytest.mark.parametrize(("text", "general", "own"), SPELLINGS, ids=[own for _, _, own in SPELLINGS])
def test_a_spelling_is_told_of_once(text: str, general: str, own: str) -> None:
    assert general in [finding.code for finding in check(graph_of(text))]
    for name in versions.targets():
        assert general not in text_codes(text, name)
        assert text_codes(text, name).count(own) == (
            name.removeprefix("ncnn-") in affected(graph_of(text), own)
        ) or (name == SHERPA)


@pytest.mark.parametrize(
    ("text", "code"), [(model(f"{RELU} 0=0.5f"), "NP103"), (model(f"{RELU}\n0=0.5", RELU), "NP104")]
)
def test_what_only_the_newest_refuses_is_no_fault_for_others(text: str, code: str) -> None:
    assert code in text_codes(text, NEWEST)
    assert code not in text_codes(text, "ncnn-20260526")


def test_sherpa_lacks_types_that_its_release_has() -> None:
    text = model("Swish x 1 1 in0 out0")
    assert text_codes(text, "ncnn-20250916") == []
    assert text_codes(text, SHERPA) == ["NP501"]


def test_types_of_users_and_of_sherpa_are_not_the_business_of_a_target() -> None:
    text = model("SherpaMetaData sherpa_meta_data1 0 0 0=2", "NoSuchType x 1 1 in0 out0", counts="3 2")
    assert [code for code in text_codes(text, SHERPA) if code.startswith("NP5")] == []


def test_one_finding_speaks_for_all_layers_of_a_type() -> None:
    graph = graph_of(model("Swish a 1 1 in0 a", "Swish b 1 1 a b", "Clip c 1 1 b out0"))
    findings = check(graph, rules=target_rules(target(SHERPA)))
    assert [finding.layer for finding in findings] == ["a", "c"]
    assert findings[0].message.startswith(f"{SHERPA} has no layer type Swish, of 'a', the first of 2: ")


def test_one_finding_speaks_for_all_params_and_all_values_of_a_kind() -> None:
    rows = [f"Gemm g{n} 1 1 in0 g{n} {params}" for n, params in enumerate(("14=1", "14=1", "11=1"))]
    ops = [f"UnaryOp u{n} 1 1 in0 u{n} 0={value}" for n, value in enumerate((17, 17, 18))]
    findings = check(graph_of(model(*rows, *ops)), rules=target_rules(target("ncnn-20221128")))
    assert [(finding.code, finding.layer) for finding in findings] == [
        ("NP502", "g0"),
        ("NP502", "g2"),
        ("NP503", "u0"),
        ("NP503", "u2"),
    ]
    assert ["the first of 2" in finding.message for finding in findings] == [True, False, True, False]


def test_a_string_that_a_target_does_not_know_is_told_of_once() -> None:
    text = model('Reshape x 1 1 in0 out0 6="0w,-1,1,1,1,1"')
    assert text_codes(text, "ncnn-20240410") == ["NP509"]


def test_a_param_that_says_what_holds_without_it_is_no_fault() -> None:
    assert text_codes(model("Gemm x 1 1 in0 out0 14=0", "Reshape y 1 1 out0 z 0=2 12=233"), OLDEST) == []


def test_a_vector_is_one_only_with_one_dimension() -> None:
    layers = ("MemoryData m 0 1 m {}", "Noop n 1 1 in0 a", "BinaryOp x 2 1 a m out0 0=0")
    for data, found in (("0=160", 1), ("0=160 1=1 2=1", 0), ("0=1", 0)):
        text = model(*(line.format(data) for line in layers))
        assert text_codes(text, "ncnn-20230517").count("NP506") == found


def test_an_edited_graph_without_text_is_checked() -> None:
    graph = Graph()
    graph.add("Input", "in0", outputs=["in0"])
    graph.add("CELU", "x", inputs=["in0"], outputs=["out0"])
    (finding,) = check(graph, rules=target_rules(target(OLDEST)))
    assert (finding.code, finding.line, finding.layer) == ("NP501", 0, "x")


def test_rules_stay_in_order_and_other_rules_stay() -> None:
    for name in (OLDEST, SHERPA, NEWEST):
        chosen = [rule.code for rule in for_target(RULES, target(name))]
        assert chosen == sorted(set(chosen))
        assert {"NP101", "NP201", "NP205"} <= set(chosen)
        assert ("NP401" in chosen) == (name == NEWEST), "an older release may read what the newest ignores"


@pytest.mark.parametrize("name", versions.targets())
def test_real_files_are_checked_without_a_crash(name: str, shared: Path) -> None:
    paths = sorted((shared / "corpus").glob("gh__Tencent*.param"), key=lambda path: path.stat().st_size)
    for path in paths[:10]:
        for finding in check(load(path).graph, rules=target_rules(target(name))):
            assert finding.line > 0


@pytest.mark.parametrize("lacking", INSTEAD)
def test_what_stands_in_for_a_type_is_there(lacking: str) -> None:
    runtime: Target = target(SHERPA)
    assert not runtime.has_type(lacking)
    named = [word for word in INSTEAD[lacking].split() if registry.get(word) is not None]
    assert named
    assert all(runtime.has_type(word) for word in named)
    assert all(runtime.value("BinaryOp", 0, op) == "reads" for op in (0, 2, 4, 5, 6))


STAND_INS = [
    ("AbsVal x 1 1 in0 out0", ["UnaryOp x 1 1 in0 out0 0=0"]),
    (
        "Clip x 1 1 in0 out0 0=0.5 1=0.8",
        ["BinaryOp x 1 1 in0 a 0=4 1=1 2=0.5", "BinaryOp y 1 1 a out0 0=5 1=1 2=0.8"],
    ),
    ("Exp x 1 1 in0 out0", ["UnaryOp x 1 1 in0 out0 0=7"]),
    ("Log x 1 1 in0 out0", ["UnaryOp x 1 1 in0 out0 0=8"]),
    ("Power x 1 1 in0 out0 0=2.5", ["BinaryOp x 1 1 in0 out0 0=6 1=1 2=2.5"]),
    (
        "Swish x 1 1 in0 out0",
        ["Split s 1 2 in0 a b", "Sigmoid x 1 1 a c", "BinaryOp y 2 1 b c out0 0=2"],
    ),
]


@pytest.mark.parametrize(("layer", "stand_in"), STAND_INS, ids=[layer.split()[0] for layer, _ in STAND_INS])
def test_what_stands_in_for_a_type_computes_the_same(layer: str, stand_in: list[str], tmp_path: Path) -> None:
    pytest.importorskip("ncnn")
    import numpy as np

    from ncnnparam.runtime import run_net

    numbers = np.array([0.3, 0.6, 0.9, 1.5], dtype=np.float32)
    (tmp_path / "m.bin").touch()
    results = []
    for lines in ([layer], stand_in):
        (tmp_path / "m.param").write_text(model(*lines, counts=f"{len(lines) + 1} 9"))
        outcome = run_net(tmp_path / "m.param", tmp_path / "m.bin", {"in0": numbers}, ["out0"])
        assert outcome.ok, outcome
        results.append(outcome.outputs["out0"])
    np.testing.assert_allclose(*results, rtol=1e-5)
