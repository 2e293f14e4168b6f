"""Modules traced by a function in Python and converted by the real pnnx; and what goes wrong there."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from ncnnparam import load
from ncnnparam.errors import ConfigError, FileError, NcnnParamError
from ncnnparam.pipeline.runner import Options

from ..conftest import Project, ran, reasons, run_all
from ..small import config

pytest.importorskip("torch")
pytest.importorskip("pnnx")

FACTORY = """import torch
from torch import nn

class Joiner(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 4)
    def forward(self, a, b):
        return self.linear(torch.tanh(a + b))

def make(checkpoint):
    torch.manual_seed(0)
    line = torch.zeros(8)
    return {
        "encoder": (nn.Linear(80, 8), (torch.zeros(9, 80),)),
        "decoder": (nn.Embedding(4, 8), (torch.zeros(2, dtype=torch.int64),)),
        "joiner": (Joiner(), (line, line)),
    }
"""
CONFIG = """[trace]
how = "factory"
factory = "small_models:make"
path = "code"
[tokens]
tokens = "tokens.txt"
[calibrate]
wavs = "wavs"
"""
UNTIL_CONVERT = Options(end="convert", jobs=2)


def write(project: Project, more: str = "") -> Path:
    path = project(CONFIG + more)
    (path.parent / "code").mkdir()
    (path.parent / "code/small_models.py").write_text(FACTORY)
    return path


def test_traced_and_converted(project: Project) -> None:
    path = write(project)
    assert ran(run_all(path, UNTIL_CONVERT)) == ["trace", "tokens", "convert"]
    (made,) = (entry for entry in (path.parent / "out/.ncnnparam/convert").iterdir())
    sizes = {}
    for part in ("encoder", "decoder", "joiner"):
        for storage in ("fp32", "fp16"):
            stem = made / f"{part}.{storage}.ncnn"
            load(f"{stem}.param", f"{stem}.bin")
            sizes[part, storage] = Path(f"{stem}.bin").stat().st_size
        assert sizes[part, "fp16"] < sizes[part, "fp32"]
    # fp16 by ncnnparam, which needs no second run of pnnx, has the same graphs and sizes
    path.write_text(CONFIG + '[convert]\nfp16 = "ncnnparam"\n')
    events = run_all(path, UNTIL_CONVERT)
    assert reasons(events) == {"convert": "fp16 is ncnnparam, was pnnx"}
    (made,) = (entry for entry in (path.parent / "out/.ncnnparam/convert").iterdir())
    for (part, storage), size in sizes.items():
        assert (made / f"{part}.{storage}.ncnn.bin").stat().st_size == size
    # a change of the code traces again
    (path.parent / "code/small_models.py").write_text(FACTORY.replace("tanh", "sigmoid"))
    assert reasons(run_all(path, UNTIL_CONVERT)) == {
        "trace": "small_models.py has changed",
        "convert": "joiner.pt has changed",  # the other modules are the same, byte for byte
    }


def test_pnnx_hangs(project: Project) -> None:
    path = write(project, "[convert]\ntimeout = 0.001\n")
    with pytest.raises(NcnnParamError, match=r"stage convert of .*pnnx was stopped after 0") as caught:
        run_all(path, UNTIL_CONVERT)
    assert caught.value.hint
    path.write_text(CONFIG)
    assert ran(run_all(path, UNTIL_CONVERT)) == ["convert"]


def test_pnnx_is_not_installed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(project)
    module = import_module("ncnnparam.export.convert")  # the package has a function of this name
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(NcnnParamError, match="pnnx, which is not installed") as caught:
        run_all(path, UNTIL_CONVERT)
    assert 'pip install "ncnnparam[export]"' in str(caught.value.hint)
    assert not (path.parent / "out/.ncnnparam/trace").exists()


def test_layers_that_nobody_knows_are_left(project: Project) -> None:
    path = project()
    joiner = path.parent / "joiner.ncnn.param"
    joiner.write_text(joiner.read_text().replace("TanH ", "torch.roll "))
    with pytest.raises(NcnnParamError, match="1 place of the joiner cannot be mended") as caught:
        run_all(path, Options(end="repair"))
    assert "tanh_0: ncnn has no function 'roll'" in caught.value.message
    assert "allow-left = true" in str(caught.value.hint)
    path.write_text(config(more="[repair]\nallow-left = true\n"))
    assert ran(run_all(path, Options(end="repair"))) == ["repair"]


def test_a_vocabulary_of_another_model(project: Project) -> None:
    path = project()
    (path.parent / "tokens.txt").write_text("<blk> 0\n<sos/eos> 1\n<unk> 2\n")
    with pytest.raises(NcnnParamError, match="has 3 tokens, and the joiner gives 12 logits") as caught:
        run_all(path, Options(end="inject"))
    assert str(path.parent / "tokens.txt") in caught.value.message
    assert "bpe.model or tokens.txt" in str(caught.value.hint)


def test_weights_that_are_halved_already(project: Project) -> None:
    path = project()
    for name in ("encoder.ncnn.param", "encoder.ncnn.bin"):
        (path.parent / name).write_bytes(
            (Path(load.__code__.co_filename).parent / "demo" / name).read_bytes()
        )
    with pytest.raises(NcnnParamError, match="the encoder has weights in fp16, and float32 ones are needed"):
        run_all(path, Options(end="convert"))


@pytest.mark.parametrize(
    ("table", "error", "said"),
    [
        ('how = "files"\n', ConfigError, "needs encoder and decoder and joiner"),
        ('how = "factory"\n', ConfigError, "needs factory"),
        ('how = "icefall"\n', ConfigError, "needs checkout and recipe"),
        ('how = "icefall"\ncheckout = "no"\nrecipe = "r"\n', FileError, "there is no .*no"),
        ('how = "icefall"\ncheckout = "."\nrecipe = "r"\n', ConfigError, "where the checkpoint is"),
        ('how = "converted"\nencoder = "encoder.ncnn.param"\n', ConfigError, "needs decoder and joiner"),
        (
            'how = "files"\nencoder = "e.pt"\ndecoder = "e.pt"\njoiner = "e.pt"\n',
            FileError,
            "needs .*e.pt, which does not exist",
        ),
    ],
)
def test_a_way_that_lacks_something(
    project: Project, table: str, error: type[NcnnParamError], said: str
) -> None:
    path = project(f'[trace]\n{table}[tokens]\ntokens = "tokens.txt"\n')
    with pytest.raises(error, match=said) as caught:
        run_all(path, Options(end="convert"))
    assert caught.value.hint
    assert not list(path.parent.glob("out/.ncnnparam/*/*/record.json"))
