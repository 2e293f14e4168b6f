"""``ncnnparam pipeline``: init, run and status as a user calls them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from ncnnparam.pipeline.config import Model, Table
from ncnnparam.pipeline.config_read import read_models
from ncnnparam.pipeline.lock import locked
from ncnnparam.pipeline.stages import STAGES

from ..pipeline.small import config, write_model
from .conftest import Run

EXPORT = """./lstm_transducer_stateless2/export-for-ncnn.py --exp-dir exp --epoch 99 --avg 1 \\
  --num-encoder-layers 3 --encoder-dim 64 --rnn-hidden-size 96
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_model(tmp_path)
    (tmp_path / "ncnnparam.toml").write_text(config(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_run_and_status(run: Run, folder: Path) -> None:
    before = run("pipeline", "status")
    assert before.exit_code == 1
    assert before.out.splitlines()[0].split() == ["stage", "state", "seconds", "finished", "why"]
    assert "tokens     missing" in before.out
    assert "tokens     to do: not done yet" in run("pipeline", "run", "-n").err
    done = run("pipeline", "run", "--until", "convert")
    assert (done.exit_code, done.out) == (0, f"{folder.name}: {folder / 'out'}\n")
    assert "convert    done in " in done.err
    again = run("pipeline", "run", "--until", "convert", "--format", "json")
    assert again.err == ""
    (model,) = json.loads(again.out)["models"]
    assert model["name"] == folder.name
    assert [stage for stage in model["stages"] if stage["state"] != "skipped"] == [
        {"stage": name, "state": "cached", "problems": []} for name in ("tokens", "convert")
    ]
    (folder / "tokens.txt").write_text("<blk> 0\n")
    rows = {row["stage"]: row for row in json.loads(run("pipeline", "status", "--format", "json").out)}
    assert (rows["tokens"]["state"], rows["tokens"]["why"]) == ("stale", "tokens has changed")
    assert (rows["convert"]["state"], rows["convert"]["why"]) == ("stale", "after tokens")
    assert rows["convert"]["seconds"] > 0
    assert rows["prove"]["state"] == "not needed"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "repare"), "there is no stage 'repare'\n  hint: did you mean repair or report?"),
        (("--only", "x"), "there is no model 'x'"),
        (("other.toml",), "cannot read other.toml"),
        (("tokens.txt",), "tokens.txt is no config"),
    ],
)
def test_a_wrong_command_line(run: Run, folder: Path, words: tuple[str, ...], said: str) -> None:
    result = run("pipeline", "run", *words)
    assert (result.exit_code, result.out) == (2, "")
    assert said in result.err


def test_two_runs_on_one_folder(run: Run, folder: Path) -> None:
    with locked(folder / "out/.ncnnparam"):
        result = run("pipeline", "run")
    assert (result.exit_code, result.out) == (2, "")
    assert f"another run works in {folder / 'out'}: process {os.getpid()}" in result.err
    assert "hint: wait until it ends" in result.err


def test_a_disk_without_room(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1 << 20))
    result = run("pipeline", "run", "--until", "convert")
    assert result.exit_code == 2
    assert "error: stage convert of " in result.err
    assert "has 1 MB left, and about 18 MB will be written" in result.err
    assert "hint: free some space" in result.err
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert run("pipeline", "run", "--until", "convert").exit_code == 0


def test_no_config(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("pipeline", "run")
    assert result.exit_code == 2
    assert "found no config" in result.err


def test_init_finds_what_lies_there(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "exp/encoder_jit_trace-pnnx.pt",
        "exp/decoder_jit_trace-pnnx.pt",
        "exp/joiner_jit_trace-pnnx.pt",
        "data/lang/bpe.model",
        "test/a.wav",
        "test/transcripts.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "export.sh").write_text(EXPORT)
    monkeypatch.chdir(tmp_path)
    result = run("pipeline", "init", "--yes")
    assert (result.exit_code, result.out) == (0, "")
    assert "flags of the export: export.sh" in result.err
    (model,) = read_models("ncnnparam.toml")
    assert model.kind == "lstm"
    assert {flag.name: flag.value for flag in model.flags} == {
        "num-encoder-layers": "3",
        "encoder-dim": "64",
        "rnn-hidden-size": "96",
    }
    assert model.trace.how == "files"
    assert model.trace.given() == {
        part: tmp_path / f"exp/{part}_jit_trace-pnnx.pt" for part in ("encoder", "decoder", "joiner")
    }
    assert model.tokens.bpe_model == tmp_path / "data/lang/bpe.model"
    assert model.calibrate.wavs == tmp_path / "test"
    assert model.verify.transcripts == tmp_path / "test/transcripts.txt"
    again = run("pipeline", "init", "--yes")
    assert (again.exit_code, again.err) == (
        2,
        "error: ncnnparam.toml exists\n  hint: --force writes over it\n",
    )
    assert run("pipeline", "init", "--yes", "--force").exit_code == 0


@pytest.mark.parametrize("name", ["init", "run", "status"])
def test_every_option_is_on_the_page(run: Run, root: Path, name: str) -> None:
    text = (root / "docs/commands/pipeline.md").read_text(encoding="utf-8")
    options = set(re.findall(r"--[a-z-]+", run("pipeline", name, "--help").out.partition("Options:")[2]))
    assert {option for option in options - {"--help"} if option not in text} == set()


def test_the_example_on_the_page(run: Run, root: Path, folder: Path) -> None:
    text = (root / "docs/commands/pipeline.md").read_text(encoding="utf-8")
    (printed,) = re.findall(r"^\$ ncnnparam pipeline run --dry-run\n(.*?)^```$", text, re.M | re.S)
    assert run("pipeline", "run", "--dry-run").err == printed


def test_every_key_and_stage_is_on_the_page(root: Path) -> None:
    text = (root / "docs/pipeline.md").read_text(encoding="utf-8")
    sections = [field for field in msgspec.structs.fields(Model) if isinstance(field.type, type)]
    tables = {field.name: field.type for field in sections if issubclass(field.type, Table)}
    assert len(tables) == 10
    for name, table in tables.items():
        assert f"`[{name}]`" in text
        for key in msgspec.structs.fields(table):
            assert f"`{key.encode_name}`" in text, key.encode_name
    for stage in STAGES:
        assert f"| `{stage.name}` |" in text


def test_the_example_of_several_models(root: Path, tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", (root / "docs/pipeline.md").read_text(), re.DOTALL)
    (tmp_path / "ncnnparam.toml").write_text(block)
    small, large = read_models(tmp_path / "ncnnparam.toml")
    assert (small.name, large.name) == ("small", "large")
    assert large.trace.joiner == tmp_path / "large/joiner_jit_trace-pnnx.pt"
    assert large.output.folder == tmp_path / "out/large"


def test_init_to_stdout_and_to_a_folder(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("pipeline", "init", "--yes", "-o", "-")
    assert (result.exit_code, list(tmp_path.iterdir())) == (0, [])
    assert "[trace]" in result.out
    result = run("pipeline", "init", "--yes", "-o", ".", "--force")
    assert (result.exit_code, result.out) == (2, "")
    assert "is a folder\n  hint: -o names the config in it" in result.err


@pytest.mark.parametrize("words", [("run",), ("status",), ("init", "new")])
def test_without_msgspec(folder: Path, root: Path, words: tuple[str, ...]) -> None:
    code = (
        "import sys; sys.modules['msgspec'] = None\n"
        "from ncnnparam.cli.main import main; main(['pipeline', *sys.argv[1:]])"
    )
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False, env=environment
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: this needs msgspec, which is not installed\n  hint: pip install")


def test_init_of_an_empty_folder(run: Run, tmp_path: Path) -> None:
    assert run("pipeline", "init", tmp_path, "--yes").exit_code == 0
    text = (tmp_path / "ncnnparam.toml").read_text()
    assert '# encoder = "encoder_jit_trace-pnnx.pt"' in text
    (model,) = read_models(tmp_path / "ncnnparam.toml")
    assert model.trace.given() == {}
    assert run("pipeline", "init", tmp_path / "none", "--yes").exit_code == 2
