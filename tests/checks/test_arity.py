"""Which layers take one blob: the registry and our reading of the params against the layers of ncnn."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys

import pytest

from ncnnparam.checks import check
from ncnnparam.ops import registry

from .cases import graph_of

ncnn = pytest.importorskip("ncnn")

LINES = [
    *(f"BinaryOp x {{}} 0=2 1={scalar}" for scalar in ("0", "1", "1.0")),
    *(f"Gemm x {{}} 4={a} 5={b} 6={c} 7=4 8=4 9=4" for a, b, c in itertools.product((0, 1), repeat=3)),
    "Crop x {}",
    "Crop x {} 3=4",
    "Crop x {} 6=1",
    "Crop x {} 15=1",
    "Crop x {} -23309=1,0 -23310=1,4",
    'Crop x {} 19="0" 20="4"',
    'Crop x {} 19="0" 20="1w" 21="0"',
    "Interp x {} 0=1 1=2.0 2=2.0",
    "Interp x {} 0=1 5=1",
    "Interp x {} 0=1 5=2",
    'Interp x {} 0=1 9="0w,0h"',
    'Interp x {} 0=1 9="1w,1h"',
    "Reshape x {} 0=-1",
    'Reshape x {} 6="0w,*(0h,2)"',
    'Reshape x {} 6="0w,*(1h,2)"',
    'Reshape x {} 6="10w,0h"',
    "Scale x {} 0=4",
    "Scale x {} 0=-233",
    "Convolution x {} 0=4 1=1 6=4",
    "Convolution x {} 0=4 1=1 6=4 19=1",
    "ConvolutionDepthWise1D x {} 0=4 1=1 6=4 7=4 19=1",
    "Deconvolution x {} 0=4 1=1 6=4 28=1",
    "Deconvolution x {} 0=4 1=1 6=4 19=1",
]
BLOBS = {(1, 1): "1 1 a b", (2, 1): "2 1 a c b", (1, 2): "1 2 a b d", (1, 0): "1 0 a"}

_LOAD = """
import json, os, sys
import ncnn
codes = []
for text in json.load(sys.stdin):
    net = ncnn.Net()
    codes.append(net.load_param_mem(text))
os.write(1, json.dumps(codes).encode())
os._exit(0)  # a Net whose load failed cannot be destroyed
"""


def test_the_registry_agrees_with_ncnn() -> None:
    ours = {}
    theirs = {}
    for name in registry.names():
        layer = ncnn.create_layer(name)
        known = registry.get(name)
        assert known is not None
        if layer is not None and not known.custom:
            ours[name], theirs[name] = known.one_blob_only, layer.one_blob_only
    assert len(theirs) > 100
    assert ours == theirs


def test_what_depends_on_params_agrees_with_ncnn() -> None:
    texts = [
        f"7767517\n3 6\nInput a 0 1 a\nInput c 0 1 c\n{line.format(blobs)}\n"
        for line in LINES
        for blobs in BLOBS.values()
    ]
    result = subprocess.run(
        [sys.executable, "-c", _LOAD],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    theirs = [text for text, code in zip(texts, json.loads(result.stdout), strict=True) if code]
    ours = [text for text in texts if any(finding.refused for finding in check(graph_of(text)))]
    assert ours == theirs
    assert len(ours) > len(LINES)
