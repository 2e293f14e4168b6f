"""icefall's export, run in a checkout that has a script in the place of the real one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from ncnnparam.errors import ConfigError, FileError, NcnnParamError
from ncnnparam.export import trace_icefall

RECIPE = "lstm_transducer_stateless2"
SCRIPT = """\
import argparse, os, shutil
from pathlib import Path
import icefall  # from the checkout

parser = argparse.ArgumentParser()
parser.add_argument("--exp-dir", type=Path, required=True)
parser.add_argument("--epoch", type=int)
parser.add_argument("--use-averaged-model")
parser.add_argument("--encoder-dims")
parser.add_argument("--tokens", type=Path, required=True)
args = parser.parse_args()
print(vars(args), flush=True)
args.tokens.open()
print("Exporting encoder", flush=True)
{work}
for part in {parts!r}:
    shutil.copy({source!r} + f"/{{part}}_jit_trace-pnnx.pt", args.exp_dir)
"""
NETS = ("encoder", "decoder", "joiner")


@pytest.fixture
def asr(tmp_path: Path) -> Path:
    """The folder of recipes in a checkout."""
    folder = tmp_path / "icefall" / "egs" / "librispeech" / "ASR"
    (folder / RECIPE).mkdir(parents=True)
    (tmp_path / "icefall" / "icefall.py").touch()
    (folder / "exp").mkdir()
    (folder / "tokens.txt").touch()
    return folder


def write(asr: Path, source: Path, work: str = "", parts: tuple[str, ...] = NETS) -> None:
    text = SCRIPT.format(work=work, parts=parts, source=str(source))
    (asr / RECIPE / "export-for-ncnn.py").write_text(text)


def trace(asr: Path, **options: Any) -> Any:
    flags = {"exp-dir": "exp", "tokens": Path("tokens.txt"), "epoch": 3, "use_averaged_model": False}
    flags |= options.pop("flags", {})
    return trace_icefall(asr.parents[2], RECIPE, flags, log=asr / "log" / "export.log", **options)


def test_the_script_is_run(traced: Any, asr: Path) -> None:
    write(asr, traced.encoder.parent)
    told: list[str] = []
    made = trace(asr, flags={"encoder-dims": [384, 256]}, line=told.append, python=sys.executable)
    assert made.encoder == asr / "exp" / "encoder_jit_trace-pnnx.pt"
    assert "'epoch': 3, 'use_averaged_model': '0', 'encoder_dims': '384,256'" in told[0]
    assert told[1] == "Exporting encoder"
    assert made.log.read_text().splitlines() == told
    by_path = trace_icefall(
        asr.parents[2],
        f"egs/librispeech/ASR/{RECIPE}",
        {"exp-dir": asr / "exp", "tokens": "tokens.txt"},
        log=asr / "export.log",
    )
    assert by_path.parts == made.parts


def test_results_of_an_older_run_do_not_count(traced: Any, asr: Path) -> None:
    write(asr, traced.encoder.parent)
    trace(asr)
    write(asr, traced.encoder.parent, parts=("encoder", "decoder"))
    with pytest.raises(NcnnParamError, match=r"wrote no joiner_jit_trace-pnnx\.pt in"):
        trace(asr)


@pytest.mark.parametrize(
    ("work", "message"),
    [
        ("import k2_is_not_here", "ended with exit code 1: its Python has no k2_is_not_here"),
        ("open('exp/epoch-3.pt')", r"there is no checkpoint exp/epoch-3\.pt"),
        ("raise RuntimeError(\"invalid load key, 'v'.\")", "a checkpoint is a git-lfs pointer"),
        (
            "raise RuntimeError('size mismatch for encoder.weight: copying')",
            "flags do not fit the checkpoint",
        ),
        ("os.abort()", r"died by signal 6 \(SIGABRT\)"),
        (
            "raise ValueError('something else')",
            "ended with exit code 1\n  hint: .*ValueError: something else",
        ),
    ],
)
def test_what_goes_wrong_in_it(work: str, message: str, traced: Any, asr: Path) -> None:
    write(asr, traced.encoder.parent, work)
    with pytest.raises(NcnnParamError) as caught:
        trace(asr)
    assert caught.match(message)
    assert "export.log" in str(caught.value.hint)


def test_what_is_wrong_in_the_flags(traced: Any, asr: Path) -> None:
    write(asr, traced.encoder.parent)
    with pytest.raises(NcnnParamError, match="this recipe has no flag --epcoh 3"):
        trace(asr, flags={"epcoh": 3})
    with pytest.raises(NcnnParamError, match="argument --epoch: invalid int value"):
        trace(asr, flags={"epoch": "three"})
    with pytest.raises(NcnnParamError, match=r"there is no none\.txt"):
        trace(asr, flags={"tokens": "none.txt"})
    with pytest.raises(ConfigError, match="no exp-dir is given"):
        trace_icefall(asr.parents[2], RECIPE, {}, log=asr / "export.log")


def test_a_script_that_hangs(traced: Any, asr: Path) -> None:
    write(asr, traced.encoder.parent, "import time; time.sleep(600)")
    with pytest.raises(NcnnParamError, match="was stopped after"):
        trace(asr, timeout=3)


def test_recipes_that_are_not_there(traced: Any, asr: Path, tmp_path: Path) -> None:
    write(asr, traced.encoder.parent)
    flags = {"exp-dir": "exp"}
    with pytest.raises(ConfigError, match="has no recipe 'lstm_transducer_stateless'") as caught:
        trace_icefall(asr.parents[2], "lstm_transducer_stateless", flags, log=asr / "log")
    assert caught.value.hint == f"did you mean {RECIPE}?"
    with pytest.raises(ConfigError, match="has no recipe with export-for-ncnn"):
        trace_icefall(tmp_path / "icefall" / "egs", RECIPE, flags, log=asr / "log")
    with pytest.raises(FileError, match="there is no folder"):
        trace_icefall(tmp_path / "none", RECIPE, flags, log=asr / "log")
    with pytest.raises(ConfigError, match="cannot run the Python"):
        trace(asr, python=tmp_path / "none" / "python")
