"""Models of other sizes, depths and numbers of heads, built in torch and converted by the real pnnx."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ncnnparam.model import load, save
from ncnnparam.passes.pnnx import named_target, read_pnnx, repair
from ncnnparam.runtime import run_net

pytest.importorskip("ncnn")
torch = pytest.importorskip("torch")
pytest.importorskip("pnnx")
modules = pytest.importorskip("tests.passes.pnnx.modules")

CUSTOM = ("PoolingModuleNoProj", "TensorAsStrided")
FEW = settings(
    max_examples=10,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # shrinking would take many conversions
)
pytestmark = pytest.mark.filterwarnings("ignore")  # of torch's tracer


def check(module: Any, *, with_shapes: bool, targets: tuple[str, ...]) -> None:
    """Fails unless the repaired graphs give what the module gives."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = modules.convert(module, module.example(), folder, with_shapes=with_shapes)
        model, pnnx = load(folder / "m.ncnn.param", folder / "m.ncnn.bin"), read_pnnx(folder / "m.pnnx.param")
        feed = {
            f"in{index}": (x if axis is None else x.squeeze(axis)).numpy()
            for index, (x, axis) in enumerate(zip(made.inputs, module.batch_axes, strict=True))
        }
        names = [f"out{index}" for index in range(len(made.outputs))]
        for target in targets:
            account = repair(model, pnnx, named_target(target))
            assert account.left == []
            save(account.model, folder / "r.param", folder / "r.bin")
            outcome = run_net(folder / "r.param", folder / "r.bin", feed, names, custom_types=CUSTOM)
            assert outcome.ok, outcome
            for blob, wanted in zip(names, made.outputs, strict=True):
                got = outcome.outputs[blob]
                np.testing.assert_allclose(got.ravel(), wanted.detach().numpy().ravel(), atol=1e-4)


@pytest.mark.parametrize(
    ("make", "with_shapes", "target"),
    [
        (lambda: modules.ZipformerLike(4, 5, 9, 18, 3, 5, 2), True, "ncnn"),
        (lambda: modules.ZipformerLike(8, 3, 14, 8, 1, 3, 1), True, "sherpa-ncnn"),
        (lambda: modules.EmformerLike(12, 3, 5, 4, 5, 2), False, "sherpa-ncnn"),
        (lambda: modules.LstmLike(6, 11, 13, 3), False, "ncnn"),
    ],
    ids=["zipformer", "zipformer-of-one-head", "emformer", "lstm"],
)
def test_another_size(make: Callable[[], Any], with_shapes: bool, target: str) -> None:
    torch.manual_seed(0)
    check(make(), with_shapes=with_shapes, targets=(target,))


@pytest.mark.nightly
@FEW
@given(
    frames=st.sampled_from([1, 2, 4, 8, 16]),
    left=st.integers(1, 12),
    width=st.integers(6, 20),
    heads=st.sampled_from([1, 2, 3, 4]),
    each=st.sampled_from([4, 6, 8]),  # half of it for values; of 1, pnnx mixes up axes
    kernel=st.sampled_from([3, 5, 7]),
    layers=st.integers(1, 3),
)
def test_zipformer(
    frames: int, left: int, width: int, heads: int, each: int, kernel: int, layers: int
) -> None:
    torch.manual_seed(0)
    module = modules.ZipformerLike(frames, left, width, heads * each, heads, kernel, layers)
    check(module, with_shapes=True, targets=("ncnn", "sherpa-ncnn"))


@pytest.mark.nightly
@FEW
@given(
    heads=st.sampled_from([1, 2, 3, 4]),
    each=st.sampled_from([2, 4, 6]),
    left=st.integers(2, 8),
    frames=st.integers(2, 9),
    kernel=st.sampled_from([3, 5, 7]),
    layers=st.integers(1, 3),
)
def test_emformer(heads: int, each: int, left: int, frames: int, kernel: int, layers: int) -> None:
    torch.manual_seed(0)
    module = modules.EmformerLike(heads * each, heads, left, frames, kernel, layers)
    check(module, with_shapes=False, targets=("ncnn",))


@pytest.mark.nightly
@FEW
@given(width=st.integers(4, 16), more=st.integers(1, 8), frames=st.integers(7, 31), layers=st.integers(1, 4))
def test_lstm(width: int, more: int, frames: int, layers: int) -> None:
    torch.manual_seed(0)
    module = modules.LstmLike(width, width + more, frames, layers)
    check(module, with_shapes=False, targets=("ncnn",))
