"""What all errors share."""

from __future__ import annotations

import pytest

from ncnnparam.errors import BadItemError, NcnnParamError, ParseError, did_you_mean, excerpt, unreadable


def test_the_hint_stands_behind_the_message() -> None:
    assert str(NcnnParamError("it is wrong", hint="mend it")) == "it is wrong\n  hint: mend it"


def test_the_code_stands_before_the_message() -> None:
    assert str(NcnnParamError("it is wrong", code="NP101")) == "NP101 it is wrong"
    assert str(ParseError("it is wrong", file="m", line=3, code="NP101")).startswith("m:3: NP101 it is wrong")
    assert NcnnParamError("it is wrong").code is None
    assert BadItemError("it is wrong").code == "NP803"


@pytest.mark.parametrize(
    ("error", "code"),
    [(FileNotFoundError, "NP801"), (NotADirectoryError, "NP801"), (PermissionError, "NP802")],
)
def test_what_the_system_says_of_a_file_has_a_code(error: type[OSError], code: str) -> None:
    found = unreadable("a.bin", error(1, "why"), hint="cure")
    assert (found.code, found.message, found.hint) == (code, "cannot read a.bin: why", "cure")


def test_did_you_mean_folds_case_and_orders_by_likeness() -> None:
    assert did_you_mean("relu", ["ReLU", "Softmax"]) == "did you mean ReLU?"
    assert did_you_mean("conv_12", ["conv_1", "conv_2", "gemm_0"]) == "did you mean conv_2 or conv_1?"
    assert did_you_mean("xyz", ["ReLU"]) is None
    assert did_you_mean("", ["ReLU"]) is None


def test_did_you_mean_among_very_many_names() -> None:
    names = [f"layer_{number}" for number in range(20_000)] + ["output_head"]
    assert did_you_mean("output_haed", names) == "did you mean output_head?"
    assert "layer_12" in str(did_you_mean("layer_12x", names))


def test_excerpt_is_cut_around_the_place() -> None:
    line = "a" * 300 + "X" + "b" * 300
    shown, mark = excerpt(line, 301)
    assert len(shown) == 104
    assert shown[mark.index("^")] == "X"


def test_excerpt_keeps_tabs_and_hides_control_characters() -> None:
    assert excerpt("a\tb\x07c", 5, 1) == ["    a\tb\ufffdc", "     \t  ^"]
