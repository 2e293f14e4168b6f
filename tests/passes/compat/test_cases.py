"""Each lowering on a small model: what it becomes, with the same numbers on the real ncnn, and once only."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncnnparam import Model, dumps
from ncnnparam.checks import Severity, check
from ncnnparam.checks.rules.target import target_rules
from ncnnparam.ops.versions import target
from ncnnparam.passes.compat import Lower
from ncnnparam.passes.compat.base import has
from ncnnparam.passes.compat.types import all_equivalents

from ..optimize.nets import assert_same_numbers, model, run

CASES = Path(__file__).parent / "cases"
SHERPA = "sherpa-ncnn-2.1.15"
TARGETS = {
    "batch-axes": "ncnn-20250916",
    "floor-divide": "ncnn-20250916",
    "glu": "ncnn-20220729",
    "log10": "ncnn-20221128",
    "logaddexp": "ncnn-20250916",
    "rpow": "ncnn-20221128",
    "sign": "ncnn-20250916",
    "sinh-cosh": "ncnn-20250916",
    "vectors": "ncnn-20230517",
}
"""Where it is not sherpa-ncnn."""
NAMES = sorted(
    path.name.removesuffix(".param") for path in CASES.glob("*.param") if ".after" not in path.name
)


def before(name: str) -> Model:
    lines = (CASES / f"{name}.param").read_text().splitlines()
    return model("\n".join(lines[2:]))


def lower(name: str) -> Lower:
    return Lower(TARGETS.get(name, SHERPA))


def faults(lowered: Model, one: Lower) -> list[str]:
    found = check(lowered.graph, rules=target_rules(one.target))
    return [str(finding) for finding in found if finding.severity is Severity.ERROR]


@pytest.mark.parametrize("name", NAMES)
def test_becomes_what_is_expected_with_the_same_numbers(name: str) -> None:
    original, one = before(name), lower(name)
    assert faults(original, one) or name == "vectors"
    after, result = run(one, original)
    assert dumps(after) == (CASES / f"{name}.after.param").read_text()
    assert not result.declined
    assert not faults(after, one)
    assert_same_numbers(original, after, tolerance=1e-5)
    again, second = run(one, after)
    assert not second.modified
    assert dumps(again) == dumps(after)


@pytest.mark.parametrize("name", NAMES)
def test_the_newest_release_needs_nothing_of_it(name: str) -> None:
    original = before(name)
    after, result = run(Lower("latest"), original)
    assert dumps(after) == dumps(original)
    assert not result.modified
    assert not result.declined


def test_every_equivalent_has_a_case() -> None:
    seen = set()
    for name in NAMES:
        runtime = target(TARGETS.get(name, SHERPA))
        for layer in before(name).graph:
            subjects = [layer.type, *(f"{layer.type}.{id}={value}" for id, value in layer.params.items())]
            seen |= {
                subject for subject in subjects if subject in all_equivalents() and not has(runtime, subject)
            }
    assert seen == set(all_equivalents())
