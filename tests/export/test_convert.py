"""Conversion by the real pnnx, and what is said where it goes wrong."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ncnnparam.errors import FileError, NcnnParamError
from ncnnparam.export import convert, pnnx_program
from ncnnparam.model import load
from ncnnparam.weights import Storage

pytest.importorskip("torch")
pytest.importorskip("pnnx")
pytestmark = pytest.mark.filterwarnings("ignore")
Program = Callable[[str], Path]

CRASH_ON_INPUTS = """
import zipfile
if any("traced_inputs" in name for name in zipfile.ZipFile(sys.argv[1]).namelist()):
    os.kill(os.getpid(), 11)
os.execv({pnnx!r}, sys.argv)
"""


def test_fp32_and_fp16(traced: Any, tmp_path: Path) -> None:
    told: list[str] = []
    full = convert(traced.joiner, tmp_path / "fp32", fp16=False, line=told.append)
    half = convert(traced.joiner, tmp_path / "fp16", fp16=True)
    assert (full.layers, full.blobs, full.unknown, full.recorded_inputs_dropped) == (5, 5, {}, False)
    assert full.param.read_bytes() == half.param.read_bytes()
    assert full.param.name == "joiner_jit_trace-pnnx.ncnn.param"
    assert sorted(path.name for path in (tmp_path / "fp32").iterdir()) == [
        "joiner_jit_trace-pnnx.ncnn.bin",
        "joiner_jit_trace-pnnx.ncnn.param",
        "joiner_jit_trace-pnnx.pnnx.log",
        "joiner_jit_trace-pnnx.pnnx.param",
    ]
    storages = [
        {weight.storage for layer in load(one.param, one.weights).graph for weight in layer.weights.values()}
        for one in (full, half)
    ]
    assert Storage.FLOAT16 in storages[1] - storages[0]
    assert told
    assert full.log.read_text().splitlines()[-1] == told[-1]


def test_names_can_be_chosen(traced: Any, tmp_path: Path) -> None:
    made = convert(traced.joiner, tmp_path / "a=b,c", name="j")
    assert made.param == tmp_path / "a=b,c" / "j.ncnn.param"
    assert made.pnnx_param.is_file()


def test_what_crashes_on_its_recorded_inputs_is_converted_without_them(
    traced: Any, tmp_path: Path, program: Program
) -> None:
    crashing = program(CRASH_ON_INPUTS.format(pnnx=str(pnnx_program())))
    made = convert(traced.encoder, tmp_path / "out", pnnx=crashing)
    assert made.recorded_inputs_dropped
    asked = convert(traced.encoder, tmp_path / "asked", drop_recorded_inputs=True)
    assert asked.recorded_inputs_dropped
    assert asked.param.read_bytes() == made.param.read_bytes()
    with pytest.raises(NcnnParamError, match=r"died by signal 11 \(SIGSEGV\)"):
        convert(traced.encoder, tmp_path / "no", pnnx=crashing, drop_recorded_inputs=False)


def test_unknown_layers_are_counted(tmp_path: Path) -> None:
    import torch

    class Strided(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return x.as_strided((2, 2, 2), (12, 2, 1)) * 2

    path = tmp_path / "m.pt"
    torch.jit.trace(Strided(), torch.zeros(2, 3, 4), check_trace=False).save(str(path))
    assert convert(path, tmp_path / "out").unknown == {"torch.as_strided": 1}


def test_a_crash(traced: Any, tmp_path: Path, program: Program) -> None:
    out = tmp_path / "out"
    crashing = program("print('pass_level1', flush=True); os.abort()")
    with pytest.raises(NcnnParamError, match=r"pnnx died by signal 6 \(SIGABRT\) on .*joiner") as caught:
        convert(traced.joiner, out, pnnx=crashing)
    assert "16384 MB of memory" in str(caught.value.hint)
    assert "pass_level1" in str(caught.value.hint)
    assert [path.name for path in out.iterdir()] == ["joiner_jit_trace-pnnx.pnnx.log"]


def test_a_hang(traced: Any, tmp_path: Path, program: Program) -> None:
    hanging = program("print('pass_level2', flush=True); time.sleep(600)")
    with pytest.raises(NcnnParamError, match="pnnx was stopped after") as caught:
        convert(traced.joiner, tmp_path / "out", pnnx=hanging, timeout=2)
    assert "pass_level2" in str(caught.value.hint)


def test_an_error_status(traced: Any, tmp_path: Path, program: Program) -> None:
    with pytest.raises(NcnnParamError, match="ended with exit code 255") as caught:
        convert(traced.joiner, tmp_path / "out", pnnx=program("print('open failed'); sys.exit(-1)"))
    assert "open failed" in str(caught.value.hint)


def test_results_that_are_missing(traced: Any, tmp_path: Path, program: Program) -> None:
    message = r"wrote no \.ncnn\.bin and no \.ncnn\.param and no \.pnnx\.param"
    with pytest.raises(NcnnParamError, match=message):
        convert(traced.joiner, tmp_path / "out", pnnx=program("pass"))


def test_results_that_are_cut_off_leave_the_old_ones(traced: Any, tmp_path: Path, program: Program) -> None:
    out = tmp_path / "out"
    old = convert(traced.joiner, out).weights.read_bytes()
    cutting = program(
        f"import subprocess\nsubprocess.run([{str(pnnx_program())!r}, *sys.argv[1:]])\n"
        "os.truncate('net.ncnn.bin', os.path.getsize('net.ncnn.bin') // 2)"
    )
    with pytest.raises(NcnnParamError, match="is not whole") as caught:
        convert(traced.joiner, out, pnnx=cutting)
    assert "is the disk full?" in str(caught.value.hint)
    assert (out / "joiner_jit_trace-pnnx.ncnn.bin").read_bytes() == old


def test_too_little_memory(traced: Any, tmp_path: Path) -> None:
    with pytest.raises(NcnnParamError, match="pnnx ") as caught:
        convert(traced.joiner, tmp_path / "out", memory=1 << 26)
    assert "64 MB of memory" in str(caught.value.hint)


def test_too_little_space(traced: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(FileError, match="0 MB of free space"):
        convert(traced.encoder, tmp_path / "out")


def test_pnnx_that_is_not_installed(traced: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[pnnx_program.__module__], "find_spec", lambda name: None)
    with pytest.raises(NcnnParamError, match="pnnx, which is not installed") as caught:
        convert(traced.joiner, tmp_path / "out")
    assert caught.value.hint == 'pip install "ncnnparam[export]"'


def test_what_is_no_torchscript(tmp_path: Path) -> None:
    (tmp_path / "m.pt").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(FileError, match="git-lfs pointer"):
        convert(tmp_path / "m.pt", tmp_path)
