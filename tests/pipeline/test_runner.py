"""Runs on a small model: what is done, what is not done again, and what is mended."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from ncnnparam import load
from ncnnparam.errors import BadItemError, ConfigError, FileError, NcnnParamError
from ncnnparam.pipeline.config_read import read_models
from ncnnparam.pipeline.events import Event, Planned
from ncnnparam.pipeline.runner import Options, plan, stand
from ncnnparam.pipeline.stages import STAGES

from .conftest import Project, ran, reasons, run_all
from .small import ROOT, config, write_wav

UNTIL_REPAIR = Options(end="repair")
UNTIL_CHECK = Options(end="check")
FIRST = ["tokens", "convert", "repair"]
LAST = ["calibrate", "quantize", "assemble", "check"]


def test_the_whole_way_and_not_twice(project: Project) -> None:
    path = project(more='[verify]\ntranscripts = "said.txt"\n')
    (path.parent / "said.txt").write_text("a t3 t4\nb t5\n")
    out = path.parent / "out"
    events = run_all(path)
    assert ran(events) == [*FIRST, "inject", *LAST, "verify", "report"]
    encoder = load(
        out / "encoder_jit_trace-pnnx.ncnn.int8.param", out / "encoder_jit_trace-pnnx.ncnn.int8.bin"
    )
    assert any(layer.params.get(8) == 2 or layer.params.get(18) == 2 for layer in encoder.graph)
    assert next(iter(encoder.graph)).type == "SherpaMetaData"
    names = {
        f"{part}_jit_trace-pnnx.ncnn.{end}"
        for part in ("encoder", "decoder", "joiner")
        for end in ("param", "bin")
    }
    int8 = {name.replace(".ncnn.", ".ncnn.int8.") for name in names if not name.startswith("decoder")}
    assert {entry.name for entry in (out / "fp32").iterdir()} == names
    assert {entry.name for entry in out.iterdir()} == names | int8 | {
        "tokens.txt",
        "commands.txt",
        "report.html",
        "report.json",
        "fp32",
        ".ncnnparam",
    }
    report = json.loads((out / "report.json").read_text())
    assert [(one["engine"], one["words"]) for one in report["word_errors"]] == [
        ("fp32", 3),
        ("fp16", 3),
        ("int8", 3),
    ]
    assert [one["transcript"] for one in report["utterances"]] == ["t3 t4", "t5"]
    assert {one["net"] for one in report["layers"]} == {"encoder", "decoder", "joiner"}
    assert {one["net"] for one in report["histograms"]} == {"encoder", "joiner"}
    assert [one["net"] for one in report["changes"]] == ["encoder", "joiner"]
    # nothing is done again, and nothing is written again
    before = {
        file: file.stat().st_mtime_ns
        for file in out.rglob("*.*")
        if file.is_file() and file.name != "digests.json"
    }
    assert ran(run_all(path)) == []
    assert {file: file.stat().st_mtime_ns for file in before} == before
    # a flag redoes what depends on it
    path.write_text(config(more='[quantize]\njoiner = false\nskip = "Gemm"\n'), encoding="utf-8")
    events = run_all(path, UNTIL_CHECK)
    assert ran(events) == ["quantize", "assemble", "check"]
    assert reasons(events)["quantize"].startswith(
        "nets is ['encoder'], was ['encoder', 'joiner'], skip is Gemm, was none, "
    )
    assert not (out / "joiner_jit_trace-pnnx.ncnn.int8.param").exists()
    # files of the output folder that are lost or spoilt come back
    spoilt = out / "encoder_jit_trace-pnnx.ncnn.param"
    text = spoilt.read_text()
    (out / "tokens.txt").unlink()
    assert ran(run_all(path, UNTIL_CHECK)) == ["assemble"]
    spoilt.unlink()
    spoilt.write_text(text.replace("7767517", "7767518"))
    assert ran(run_all(path, UNTIL_CHECK)) == ["assemble"]
    assert spoilt.read_text() == text


def test_a_file_spoilt_in_place_is_made_again(project: Project) -> None:
    path = project()
    run_all(path, UNTIL_REPAIR)
    (made,) = path.parent.glob("out/.ncnnparam/repair/*/joiner.fp32.ncnn.param")
    before = made.read_text()
    made.write_text(before.replace("tanh_0", "tanh_9"))
    events = run_all(path, UNTIL_REPAIR)
    assert reasons(events) == {"repair": "joiner.fp32.param is not what was made"}
    assert made.read_text() == before


def test_same_content_is_the_same_whatever_made_it(project: Project) -> None:
    path = project()
    run_all(path, UNTIL_REPAIR)
    for file in path.parent.glob("*.ncnn.*"):
        os.utime(file, (1, 1))
    assert ran(run_all(path, UNTIL_REPAIR)) == []
    tokens = path.parent / "tokens.txt"
    tokens.write_text(tokens.read_text().replace("t3", "three"))
    assert ran(run_all(path, UNTIL_REPAIR)) == ["tokens"]


def test_from_until_and_force(project: Project) -> None:
    path = project()
    with pytest.raises(
        NcnnParamError, match=r"stage tokens of .* made is wanted: it has not been run"
    ) as caught:
        run_all(path, Options(begin="repair"))
    assert "--from tokens" in str(caught.value.hint)
    assert ran(run_all(path, Options(end="convert"))) == ["tokens", "convert"]
    assert ran(run_all(path, Options(begin="repair", end="repair"))) == ["repair"]
    assert ran(run_all(path, Options(begin="convert", end="repair", force=True))) == ["convert", "repair"]
    with pytest.raises(ConfigError, match="there is no stage 'repare'") as wrong:
        Options(begin="repare")
    assert wrong.value.hint == "did you mean repair or report?"
    with pytest.raises(ConfigError, match="stage repair comes after convert"):
        Options(begin="repair", end="convert")


def test_a_plan_does_nothing(project: Project) -> None:
    path = project()
    models = read_models(path)
    events: list[Event] = []
    plan(models, Options(), events.append)
    planned = {event.stage: event.why for event in events if isinstance(event, Planned)}
    assert planned["tokens"] == "not done yet"
    assert planned["check"] == "after tokens"
    assert not (path.parent / "out").exists()
    states = {stage: found.state.value for stage, found in stand(models[0])}
    assert list(states) == [stage.name for stage in STAGES]
    assert (states["tokens"], states["prove"]) == ("missing", "not needed")


def test_a_stage_that_fails_names_itself_and_its_cure(project: Project) -> None:
    path = project('[model]\nkind = "conv-emformer"\nencoder-dim = 47\n' + config())
    with pytest.raises(NcnnParamError) as caught:
        run_all(path, Options(end="inject"))
    assert f"stage inject of {path.parent.name}: the metadata contradict the graph" in caught.value.message
    assert "the metadata says 47" in caught.value.message
    assert "correct the flags under [model]" in str(caught.value.hint)
    path.write_text(config(), encoding="utf-8")
    assert ran(run_all(path, Options(end="inject"))) == ["inject"]


@pytest.mark.parametrize(
    ("rate", "channels", "said"),
    [(8000, 1, "has 8000 samples a second, not 16000"), (16000, 2, "has 2 channels")],
)
def test_wavs_are_looked_at_before_the_work_begins(
    project: Project, rate: int, channels: int, said: str
) -> None:
    path = project()
    write_wav(path.parent / "wavs/bad.wav", 440, rate=rate, channels=channels)
    with pytest.raises(BadItemError, match="1 of 3 items cannot be used") as caught:
        run_all(path)
    assert said in caught.value.message
    assert "bad.wav" in caught.value.message
    assert "ffmpeg -i IN -ar 16000 -ac 1 OUT.wav" in str(caught.value.hint)
    assert not list(path.parent.glob("out/.ncnnparam/tokens"))


@pytest.mark.parametrize(
    ("text", "error", "said", "hint"),
    [
        (config().replace('wavs = "wavs"', ""), ConfigError, "int8 needs speech", "[calibrate]"),
        (config().replace('wavs = "wavs"', 'wavs = "waves"'), FileError, "there is no", "a folder of wavs"),
        (config().replace('tokens = "tokens.txt"', ""), ConfigError, "nothing tells the tokens", "bpe-model"),
        (config().replace('"tokens.txt"', '"token.txt"'), FileError, r"needs .*token\.txt", "tokens in"),
        (
            config().replace('"tokens.txt"', '"wavs"'),
            FileError,
            "needs the file .*wavs, which is a f",
            "tokens",
        ),
        (
            config(more="[quantize]\nskip = 'name=='\n"),
            ConfigError,
            r"skip in .*toml under .* no selector",
            "",
        ),
        (config(more="[model]\nencoder-dim = 'x'\nkind = 'lstm'\n"), ConfigError, "no whole number", ""),
        (
            config(more="[model]\nmemory-size = 3\nkind = 'lstm'\n"),
            ConfigError,
            "lstm models have no --memory-size",
            "--encoder-dim",
        ),
        (
            config(more="[output]\nfolder = 'tokens.txt'\n"),
            FileError,
            r"cannot write .*tokens\.txt: Not a directory",
            "[output]",
        ),
        (config(more="[repair]\ntarget = 'sherpa'\n"), ConfigError, "there is no target 'sherpa'", ""),
    ],
)
def test_a_config_that_cannot_work_is_told_at_once(
    project: Project, text: str, error: type[NcnnParamError], said: str, hint: str
) -> None:
    path = project(text)
    with pytest.raises(error, match=said) as caught:
        run_all(path)
    assert hint in str(caught.value.hint)
    assert not list(path.parent.glob("out/.ncnnparam/*/*/record.json"))


def test_the_log_that_an_error_names_is_there(project: Project) -> None:
    pytest.importorskip("torch")
    trace = f'[trace]\nhow = "factory"\nfactory = "tests.export.faulty_factories:failing"\npath = "{ROOT}"\n'
    path = project(trace)
    with pytest.raises(NcnnParamError, match="ended with exit code 1") as caught:
        run_all(path, Options(end="trace"))
    (log,) = re.findall(r"\((/.*trace\.log)\)", str(caught.value.hint))
    assert "no layers" in Path(log).read_text()
