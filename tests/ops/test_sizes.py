"""Names of blob sizes in formulas."""

from __future__ import annotations

import pytest

from ncnnparam.ops.sizes import Shape, UnknownSizeError, is_size, size

INPUTS: list[Shape | None] = [(2, 3, 5), None, (7,), (2, 3, 5, 7)]
OUTPUTS: list[Shape | None] = [(8, 9)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("in_w", 5),
        ("in_h", 3),
        ("in_c", 2),
        ("in_d", 1),
        ("in_dims", 3),
        ("in_size", 30),
        ("in2_w", 7),
        ("in2_h", 1),
        ("in2_c", 1),
        ("in3_c", 2),
        ("in3_d", 3),
        ("in3_h", 5),
        ("in3_w", 7),
        ("out_w", 9),
        ("out_size", 72),
        ("inputs", 4),
    ],
)
def test_sizes(name: str, expected: int) -> None:
    assert is_size(name)
    assert size(name, INPUTS, OUTPUTS) == expected


@pytest.mark.parametrize("name", ["in1_w", "in4_w", "out1_dims"])
def test_what_nobody_knows(name: str) -> None:
    assert is_size(name)
    with pytest.raises(UnknownSizeError):
        size(name, INPUTS, OUTPUTS)


@pytest.mark.parametrize("name", ["in_x", "in", "in0_w", "in10_w", "out_W", "input", "kernel_w", "xin_w"])
def test_other_names(name: str) -> None:
    assert not is_size(name)
