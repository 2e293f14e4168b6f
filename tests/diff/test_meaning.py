"""When params say the same to ncnn."""

from __future__ import annotations

import pytest

import ncnnparam as nnp
from ncnnparam.diff.meaning import meaning_of


def essence(type: str, params: str) -> object:
    text = f"7767517\n2 2\nInput in0 0 1 in0\n{type} x 1 1 in0 out0 {params}\n"
    return meaning_of(nnp.loads(text).graph.layer("x")).essence


@pytest.mark.parametrize(
    ("type", "one", "other"),
    [
        ("BatchNorm", "0=8 1=1.000000e-05", "1=1e-05 0=8"),
        ("BatchNorm", "0=8 1=0.1", "0=8 1=0.100000001"),  # one float32
        ("ReLU", "0=1", "0=1.0"),  # a float written as an int
        ("ReLU", "0=-0.0", ""),
        ("Convolution", "0=8 1=3 2=1 5=0", "0=8 1=3"),
        ("Convolution", "0=8 1=3 11=3", "0=8 1=3"),  # kernel_h follows kernel_w
        ("Convolution", "0=8 4=2 14=2 16=2", "0=8 4=2"),  # pad_bottom <- pad_top <- pad_left
        ("Convolution", "0=8 9=1 9=2", "0=8 9=2"),  # the last one counts
        ("Convolution", "-23310=2,0.1,0.2", "10=0.1,0.2"),
        ("Convolution", "-23310=0", ""),
        ("Clip", "0=-3.402823466e+38 1=6.0", "1=6.0"),
        ("MultiHeadAttention", "0=64 1=4 6=0.25", "0=64 1=4"),
        ("Reshape", '6="w"', "6=w"),
        ("Unheard", '3="x" -23304=0', "3=x"),
        ("ReLU", "31=0", ""),
    ],
)
def test_the_same(type: str, one: str, other: str) -> None:
    assert essence(type, one) == essence(type, other)


@pytest.mark.parametrize(
    ("type", "one", "other"),
    [
        ("BatchNorm", "0=8 1=1e-05", "0=8 1=1.1e-05"),
        ("Convolution", "0=8 1=3 11=3", "0=8 1=3 11=5"),
        ("Convolution", "0=8 4=2 14=0", "0=8 4=2"),
        ("Convolution", "0=8", "0=8.0"),  # an int param does not take a float
        ("Convolution", "-23310=1,1", "-23310=1,1.0"),  # an array keeps the bits it is written with
        ("Convolution", "-23310=2,1,2", "-23310=2,2,1"),
        ("Unheard", "0=0", ""),  # nobody knows the default
        ("Unheard", "0=1", "0=1.0"),
        ("ReLU", "31=1", ""),
        ("ReLU", "-23330=4,3,8,8,3", ""),
        ("Reshape", "6=w", "6=h"),
    ],
)
def test_not_the_same(type: str, one: str, other: str) -> None:
    assert essence(type, one) != essence(type, other)
