"""Every rule against its good, bad and repaired files, and against the real loader of ncnn."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from ncnnparam import dumps
from ncnnparam.checks import fix

from .cases import ALL_RULES, FOLDER, Case, cases, described, findings_of, graph_of

RULE = {rule.code: rule for rule in ALL_RULES}
CUSTOM_TYPES = ("SherpaMetaData", "PoolingModuleNoProj", "TensorAsStrided", "SimpleUpsample", "Stack")
"""What sherpa-ncnn registers before it loads a file."""

_LOAD = """
import json, os, sys
import ncnn
codes, layers = {}, []
def create():
    layers.append(ncnn.Layer())
    return layers[-1]
types, paths = json.load(sys.stdin)
for path in paths:
    net = ncnn.Net()
    for type in types:
        net.register_custom_layer(type, create, lambda layer: None)
    codes[path] = net.load_param(path)
os.write(1, json.dumps(codes).encode())
os._exit(0)  # a Net whose load failed cannot be destroyed
"""


@pytest.mark.parametrize("case", cases("good"), ids=str)
def test_good_files_have_no_finding_of_the_rule(case: Case) -> None:
    assert [described(f) for f in case.findings if f.code == case.code] == []


@pytest.mark.parametrize("case", cases("bad"), ids=str)
def test_bad_files_have_exactly_the_expected_findings(case: Case) -> None:
    found = [described(f) for f in case.findings if f.code == case.code]
    assert found == case.expected
    assert found


@pytest.mark.parametrize("case", [case for case in cases("bad") if case.fixed.exists()], ids=str)
def test_bad_files_are_repaired_by_the_rule(case: Case) -> None:
    graph = graph_of(case.text)
    assert fix(graph, unsafe=True, rules=[RULE[case.code]])
    fixed = case.fixed.read_bytes().decode("utf-8", "surrogateescape")
    assert dumps(graph) == fixed
    assert [described(f) for f in findings_of(fixed) if f.code == case.code] == []
    assert fix(graph_of(fixed), unsafe=True, rules=[RULE[case.code]]) == []


@pytest.mark.parametrize("case", cases("bad"), ids=str)
def test_a_file_is_repaired_if_a_finding_says_so(case: Case) -> None:
    repaired_by_request = case.code == "NP114"
    assert case.fixed.exists() == (repaired_by_request or any("[fixable]" in line for line in case.expected))


@pytest.mark.parametrize("folder", sorted(FOLDER.iterdir()), ids=lambda folder: folder.name)
def test_expected_names_only_files_that_are_there(folder) -> None:
    lines = (folder / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert {line.partition(":")[0] for line in lines} == {path.name for path in folder.glob("bad*.param")}


@pytest.fixture(scope="module")
def loaded() -> dict[str, int]:
    """What ncnn's ``load_param`` returns for each file."""
    pytest.importorskip("ncnn")
    given = json.dumps([CUSTOM_TYPES, [str(case.path) for case in cases()]])
    result = subprocess.run(
        [sys.executable, "-c", _LOAD], input=given, capture_output=True, text=True, check=True, timeout=120
    )
    return json.loads(result.stdout)


@pytest.mark.parametrize("case", cases(), ids=str)
def test_refused_is_what_ncnn_does(case: Case, loaded: dict[str, int]) -> None:
    findings = case.findings
    if any(f.code in ("NP213", "NP214") for f in findings):
        pytest.skip("has a type that a program must register")
    refused = [described(f) for f in findings if f.refused]
    assert bool(refused) == (loaded[str(case.path)] != 0), refused or "no finding is refused"
