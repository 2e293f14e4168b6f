from __future__ import annotations

import pytest

import ncnnparam as nnp
from ncnnparam.checks import Severity, check
from ncnnparam.speech import inject
from ncnnparam.speech.rules import RULES

from .samples import ALL, DEMO, DOCS_ZIPFORMER, demo_graph, graph_of, truth_of

GOOD = "0=1 1=2 2=16 3=15 4=8 5=32 6=8 7=48"


def findings(line, *, times=1):
    """What the rules say of the demo encoder with a line of metadata in its file, and the file's text."""
    lines = nnp.dumps(demo_graph()).splitlines(keepends=True)
    layers, blobs = lines[1].split()
    lines[1:2] = [f"{int(layers) + times} {blobs}\n", *[f"{line}\n"] * times]
    return check(nnp.loads("".join(lines)).graph, rules=RULES)


def test_codes_and_slugs_are_unique():
    assert len({rule.code for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.summary and rule.code.startswith("NP3") for rule in RULES)


def test_right_metadata_are_clean_wherever_they_stand():
    graph = demo_graph()
    graph.add("SherpaMetaData", "sherpa_meta_data1", outputs=0, params=DEMO.params())
    assert check(graph, rules=RULES) == []
    assert findings(f"SherpaMetaData sherpa_meta_data1 0 0 {GOOD}") == []


def test_ncnns_own_params_are_no_extra_keys():
    assert findings(f"SherpaMetaData sherpa_meta_data1 0 0 -23330=0 {GOOD} 31=1") == []


@pytest.mark.parametrize(
    ("line", "code", "marked", "says"),
    [
        (f"SherpaMetaData meta 0 0 {GOOD}", "NP301", "meta", "'meta'"),
        (f"SherpaMetaData sherpa_meta_data1 0 1 x {GOOD}", "NP302", "0", "0 inputs and 1 outputs"),
        ("SherpaMetaData sherpa_meta_data1 0 0 0=9", "NP304", "0=9", "is 9"),
        ("SherpaMetaData sherpa_meta_data1 0 0", "NP304", "SherpaMetaData", "is missing"),
        (f"SherpaMetaData sherpa_meta_data1 0 0 {GOOD[:-5]}", "NP305", "SherpaMetaData", "7 (--encoder-dim)"),
        (f"SherpaMetaData sherpa_meta_data1 0 0 {GOOD} 9=3", "NP306", "9=3", "key 9 means nothing"),
        (
            f"SherpaMetaData sherpa_meta_data1 0 0 {GOOD[:-5]} -23307=1,48",
            "NP307",
            "-23307=1,48",
            "must be an int",
        ),
        (f"SherpaMetaData sherpa_meta_data1 0 0 {GOOD[:-5]} 7=48.0", "NP307", "7=48.0", "must be an int"),
        (
            f"SherpaMetaData sherpa_meta_data1 0 0 {GOOD.replace('4=8', '4=32')}",
            "NP309",
            "4=32",
            "128 (4=32)",
        ),
        (
            f"SherpaMetaData sherpa_meta_data1 0 0 {GOOD.replace('7=48', '7=512')}",
            "NP309",
            "7=512",
            "48 (7=48)",
        ),
    ],
)
def test_one_fault_is_one_finding_at_its_place(line, code, marked, says):
    (found,) = findings(line)
    assert found.code == code
    assert says in found.message
    assert found.source_line[found.column - 1 :][: found.length] == marked
    assert found.line == 3
    assert found.severity is (Severity.WARNING if code == "NP306" else Severity.ERROR)


def test_the_classic_mistake_tells_the_cure():
    (found,) = findings(f"SherpaMetaData sherpa_meta_data1 0 0 {GOOD.replace('4=8', '4=32')}")
    assert found.hint == "key 4 holds the flag's value divided by 4: write 4=8"


def test_a_second_layer_is_reported_once():
    found = findings(f"SherpaMetaData sherpa_meta_data1 0 0 {GOOD}", times=2)
    assert [(each.code, each.line) for each in found] == [("NP303", 4)]
    assert "line 3" in found[0].message


def test_another_kind():
    found = findings("SherpaMetaData sherpa_meta_data1 0 0 0=3 1=2 2=48 3=96")
    assert [each.code for each in found] == ["NP309"]
    assert "the metadata says lstm (0=3), the graph conv-emformer (0=1)" in found[0].message


@pytest.mark.parametrize("version", [None, 0])
def test_a_zipformer_needs_a_version(shared, version):
    graph = graph_of(shared, "zipformer")
    params = truth_of(shared, "zipformer").params()
    del params[15]
    if version is not None:
        params[15] = version
    graph.insert_at(0, "SherpaMetaData", "sherpa_meta_data1", outputs=0, params=params)
    assert [found.code for found in check(graph, rules=RULES)] == ["NP308"]


def test_an_old_model_lacks_only_the_version(shared):
    assert [found.code for found in check(graph_of(shared, "old-zipformer"), rules=RULES)] == ["NP308"]


def test_arrays_of_another_length_contradict(shared):
    graph = graph_of(shared, "zipformer")
    params = truth_of(shared, "zipformer").params() | {16: (2, 1, 2)}
    graph.insert_at(0, "SherpaMetaData", "sherpa_meta_data1", outputs=0, params=params)
    (found,) = check(graph, rules=RULES)
    assert found.code == "NP309"
    assert "2,1,2 (16=2,1,2), the graph 2,1,2,1,3" in found.message


@pytest.mark.parametrize("name", ALL)
def test_an_encoder_without_metadata_is_worth_a_word(shared, name):
    graph = graph_of(shared, name)
    found = [each for each in check(graph, rules=RULES) if each.code != "NP308"]
    if name in ("conv_emformer_encoder", "old-zipformer"):
        assert found == []
    else:
        assert [(each.code, each.severity) for each in found] == [("NP310", Severity.INFO)]
        inject(graph, truth_of(shared, name))
        assert check(graph, rules=RULES) == []


def test_a_graph_that_is_no_encoder_is_clean():
    graph = nnp.loads("7767517\n2 2\nInput in0 0 1 in0\nReLU r 1 1 in0 out0\n").graph
    assert check(graph, rules=RULES) == []


def test_a_layer_made_in_memory_has_no_place():
    graph = demo_graph()
    graph.insert_at(0, "SherpaMetaData", "m", outputs=0, params=DOCS_ZIPFORMER.params())
    found = check(graph, rules=RULES)
    assert {each.code for each in found} == {"NP301", "NP309"}
    assert all(each.line == 0 and each.layer == "m" for each in found)
