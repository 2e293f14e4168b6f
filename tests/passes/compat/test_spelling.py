"""Spellings for a target, and those that somebody prefers."""

from __future__ import annotations

import pytest

from ncnnparam import dumps, loads
from ncnnparam.checks import Severity, check
from ncnnparam.checks.rules.target import target_rules
from ncnnparam.errors import ConfigError
from ncnnparam.ops.versions import target, targets
from ncnnparam.passes.compat import LowerSpelling, Spell

from ..optimize.nets import header, reasons, run

OLD, SHERPA, NEWEST = "ncnn-20240410", "sherpa-ncnn-2.1.15", "ncnn-20261020"
RELU = "ReLU r 1 1 in0 out0"
ELTWISE = "Eltwise e 1 1 in0 out0 0=1"
SPELLINGS = [
    (SHERPA, f"{RELU} 0=0.12345678901234567", f"{RELU} 0=0.12345679"),
    (SHERPA, f"{RELU} 0=1", f"{RELU} 0=1.0"),
    (NEWEST, f"{RELU} 0=1036831949", f"{RELU} 0=0.1"),
    (NEWEST, f"{RELU} 0=2.f", f"{RELU} 0=2.0"),
    (OLD, f"{ELTWISE} 1=0.5,0.25", f"{ELTWISE} -23301=2,0.5,0.25"),
    (SHERPA, f"{RELU}\t0=0.5\t31=1", f"{RELU} 0=0.5 31=1"),
    (NEWEST, f"{RELU} 0=0.5\n31=1", f"{RELU} 0=0.5 31=1"),
    (SHERPA, 'Reshape r 1 1 in0 out0 6="0w,0h" 0=1', 'Reshape r 1 1 in0 out0 0=1 6="0w,0h"'),
    (SHERPA, 'Reshape r 1 1 in0 out0 5="abcdefghijklmn" 0=1', "Reshape r 1 1 in0 out0 5=abcdefghijklmn 0=1"),
]


def text(line: str) -> str:
    return f"7767517\n2 2\nInput in0 0 1 in0\n{line}\n"


@pytest.mark.parametrize(("runtime", "before", "after"), SPELLINGS, ids=[one[1][-24:] for one in SPELLINGS])
def test_what_the_target_misreads_is_spelled_anew(runtime: str, before: str, after: str) -> None:
    model = loads(text(before))
    made, result = run(LowerSpelling(runtime), model)
    assert " ".join(dumps(made).splitlines()[3].split()) == after
    assert result.modified
    rules = [
        rule for rule in target_rules(target(runtime)) if rule.code in ("NP507", "NP508", "NP509", "NP510")
    ]
    assert not check(made.graph, rules=rules)
    again, second = run(LowerSpelling(runtime), made)
    assert not second.modified
    assert dumps(again) == dumps(made)


def test_what_the_target_reads_stays_byte_for_byte() -> None:
    for runtime, line in [
        (NEWEST, f"{RELU} 0=0.12345678901234567"),
        (NEWEST, f"{RELU} 0=1"),
        (NEWEST, f"{RELU}\t0=0.5"),
        ("ncnn-20260526", f"{RELU} 0=2.f"),
        ("ncnn-20260526", f"{RELU}\n0=0.5"),
        (SHERPA, f"{ELTWISE} 1=0.5,0.25"),
        (SHERPA, f"{RELU} 0=1036831949"),
        (NEWEST, 'Reshape r 1 1 in0 out0 6="0w,0h" 0=1'),
    ]:
        made, result = run(LowerSpelling(runtime), loads(text(line)))
        assert not result.modified, (runtime, line)
        assert dumps(made) == text(line)


@pytest.mark.parametrize("runtime", targets())
def test_nothing_misread_is_left_for_any_target(runtime: str) -> None:
    lines = [line for _, line, _ in SPELLINGS if '"' not in line]
    for line in lines:
        made, _ = run(LowerSpelling(runtime), loads(text(line)))
        found = check(made.graph, rules=target_rules(target(runtime)))
        assert [
            finding.code
            for finding in found
            if finding.severity is Severity.ERROR and "string" not in finding.message
        ] == []


def test_arrays_and_strings_in_one_style() -> None:
    old = header(
        "Input in0 0 1 in0\nReduction r 1 1 in0 a 1=0 -23303=2,1,2 5=1\nReshape s 1 1 a out0 0=1 5=abc"
    )
    new, result = run(Spell(arrays="new", strings="quoted"), loads(old))
    assert "3=1,2" in dumps(new)
    assert '5="abc"' in dumps(new)
    assert len(result.changes) == 2
    back, _ = run(Spell(arrays="old", strings="bare"), new)
    assert [dict(layer.params) for layer in back.graph] == [dict(layer.params) for layer in loads(old).graph]
    assert "-23303=2,1,2" in dumps(back)
    assert "5=abc" in dumps(back)
    assert not Spell().run(loads(old)).modified


def test_what_a_style_cannot_say_is_declined() -> None:
    line = 'Reshape s 1 1 in0 out0 -23303=0 5="two words"'
    made, result = run(Spell(arrays="new", strings="bare"), loads(text(line)))
    assert len(result.declined) == 2, reasons(result)
    assert dumps(made) == text(line)


def test_a_style_that_there_is_not() -> None:
    with pytest.raises(ConfigError, match="arrays cannot be 'newest'"):
        Spell(arrays="newest")
