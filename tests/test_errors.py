"""What all errors share."""

from __future__ import annotations

from ncnnparam.errors import NcnnParamError, did_you_mean, excerpt


def test_the_hint_stands_behind_the_message() -> None:
    assert str(NcnnParamError("it is wrong", hint="mend it")) == "it is wrong\n  hint: mend it"


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
