"""Where the C++ tools for int8 go on in silence: here each case has a code, and nothing wrong is written."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from ncnnparam import load
from ncnnparam.ops import registry
from ncnnparam.quantize.table import Table

from ..quantize.rule_examples import GOOD, MODEL
from ..quantize.test_int8 import NET, ROWS, filled
from .conftest import Run

FILES = ("m.param", "m.bin", "q.param", "q.bin")

REFUSED = {
    "a blank line, which ends the table": (ROWS.replace("fc 10", "\nfc 10"), "NP701"),
    "a missing row of weights, which stops all of that type": (
        ROWS.replace("fc_param_0 40 41 42\n", ""),
        "NP709",
    ),
    "the recipe for mixed precision: that row as a comment": (
        ROWS.replace("fc_param_0", "#fc_param_0"),
        "NP709",
    ),
}
"""Tables that stop the quantisation, and the rule that says why."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a float model and a table, where the commands run."""
    monkeypatch.chdir(tmp_path)
    filled(NET).save("m.param", "m.bin")
    Path("m.table").write_text(ROWS)
    return tmp_path


@pytest.mark.parametrize("compat", [(), ("--compat", "ncnn2int8")], ids=["native", "compat"])
@pytest.mark.parametrize("missing", ["m.param", "m.bin", "m.table"])
def test_a_missing_file_makes_no_empty_model(
    missing: str, compat: tuple[str, ...], run: Run, folder: Path
) -> None:
    Path(missing).unlink()
    result = run("quantize", *FILES, "--table", "m.table", *compat)
    assert (result.exit_code, result.out) == (2, "")
    assert result.err.startswith(f"error: NP801 cannot read {missing}: No such file or directory\n")
    assert not Path("q.param").exists()
    assert not Path("q.bin").exists()


@pytest.mark.parametrize("missing", ["m.param", "m.bin", "items"])
def test_a_missing_file_makes_no_table(missing: str, run: Run, folder: Path) -> None:
    np.save("one.npy", np.ones((3, 6, 6), np.float32))
    Path("items").write_text("one.npy\n")
    Path(missing).unlink()
    result = run("calibrate", "m.param", "m.bin", "--npy", "items", "--table", "new.table")
    assert (result.exit_code, result.out) == (2, "")
    assert result.err.startswith(f"error: NP801 cannot read {missing}: No such file or directory\n")
    assert not Path("new.table").exists()


@pytest.mark.parametrize("fault", REFUSED)
def test_a_table_that_would_be_read_in_part_is_refused(fault: str, run: Run, folder: Path) -> None:
    rows, code = REFUSED[fault]
    Path("m.table").write_text(rows)
    result = run("quantize", *FILES, "--table", "m.table")
    assert (result.exit_code, result.out) == (2, "")
    assert f": {code} error " in result.err
    assert not Path("q.param").exists()


def test_the_row_of_the_input_is_the_one_to_leave_out(run: Run, folder: Path) -> None:
    """For mixed precision; the report says which layer stays float."""
    Path("m.table").write_text("".join(row for row in ROWS.splitlines(True) if not row.startswith("fc ")))
    result = run("quantize", *FILES, "--table", "m.table")
    assert result.exit_code == 0
    assert "in float, the table has no row for its input: fc" in result.out
    after = load("q.param", "q.bin").graph
    assert 8 not in after.layer("fc").params
    assert 8 in after.layer("right").params


def test_what_the_table_has_no_rows_of_is_told_of(run: Run, folder: Path) -> None:
    """The tool leaves an LSTM in float; its scales follow from its weights, so here it becomes int8."""
    filled(MODEL).save("m.param", "m.bin")
    rows = GOOD.splitlines(keepends=True)
    Path("m.table").write_text("".join(row for row in rows if not row.startswith(("lstm", "fc"))))
    checked = run("table", "check", "m.table", "m.param").out
    assert "NP711 error the table has no row for layer 'lstm' (LSTM): its scales are computed" in checked
    assert "NP711 info layer 'fc' (InnerProduct) stays in float: the table has no row for it" in checked
    result = run("quantize", *FILES, "--table", "m.table")
    assert result.exit_code == 0
    assert "LSTM: 1 of 1 int8" in result.out
    assert "in float, the table has no row for its input: fc" in result.out


def test_infinite_scales_of_what_is_always_zero(run: Run, folder: Path) -> None:
    """They are found in a table of others; ours has none, and weights of zeros stay zeros."""
    Path("m.table").write_text(ROWS.replace("40 41 42", "40 inf 42"))
    assert "NP707 error" in run("table", "check", "m.table", "m.param").out
    model = load("m.param", "m.bin")
    weights = model.graph.layer("fc").weights
    numbers = weights["weight_data"].numpy().copy()
    numbers[1] = 0
    weights["weight_data"] = numbers
    model.save()
    result = run("quantize", *FILES, "--table", "m.table")
    assert (result.exit_code, "NP707 warning" in result.err) == (0, True)
    scales = load("q.param", "q.bin").graph.layer("fc").weights["weight_data_int8_scales"].numpy()
    assert np.isfinite(scales).all()


def test_an_infinite_scale_of_an_input_keeps_its_layer_in_float(run: Run, folder: Path) -> None:
    Path("m.table").write_text(ROWS.replace("fc 10", "fc inf"))
    assert "NP708 error" in run("table", "check", "m.table", "m.param").out
    result = run("quantize", *FILES, "--table", "m.table")
    assert (result.exit_code, "NP708 warning" in result.err) == (0, True)
    after = load("q.param", "q.bin").graph
    assert 8 not in after.layer("fc").params
    assert 8 in after.layer("right").params


@pytest.mark.parametrize("table", [(), ("--table", "m.table")], ids=["no table", "an empty table"])
def test_a_model_that_stays_in_float_is_told_of(table: tuple[str, ...], run: Run, folder: Path) -> None:
    Path("m.table").write_text("")
    as_the_tool = run("quantize", *FILES, *table, "--compat", "ncnn2int8")
    assert as_the_tool.exit_code == 0
    assert "warning: ncnn2int8 leaves all layers in float" in as_the_tool.err
    Path("q.param").unlink()
    ours = run("quantize", *FILES, *table)
    assert ours.exit_code == 2
    assert not Path("q.param").exists()


@pytest.mark.parametrize("type", ["LSTM", "MultiHeadAttention", "Embed"])
def test_types_without_rows_are_an_error_where_the_tool_leaves_them_in_float(
    type: str, run: Run, folder: Path
) -> None:
    filled(HEAD + NEEDS_ROWS[type]).save("m.param", "m.bin")
    Path("m.table").write_text("")
    checked = run("table", "check", "m.table", "m.param")
    assert (checked.exit_code, "NP711 error" in checked.out) == (1, True)
    as_the_tool = run("quantize", *FILES, "--table", "m.table", "--compat", "ncnn2int8")
    assert (as_the_tool.exit_code, "NP711 error" in as_the_tool.err) == (0, True)
    assert "0 layers" in as_the_tool.out
    ours = run("quantize", *FILES, "--table", "m.table")
    assert (ours.exit_code, ours.err) == (0, "")
    assert f"{type}: 1 of 1 int8" in ours.out


HEAD = "7767517\n2 2\nInput in0 0 1 in0\n"
NEEDS_ROWS = {
    "LSTM": "LSTM it 1 1 in0 out0 0=2 1=48\n",
    "MultiHeadAttention": "MultiHeadAttention it 1 1 in0 out0 0=4 1=2 2=16\n",
    "Embed": "Embed it 1 1 in0 out0 0=4 1=6 3=24\n",
}
UNKNOWN = HEAD + "{} up 1 1 in0 out0 0=2 1=4 2=8\n"


def test_weights_of_custom_layers_go_along(run: Run, folder: Path) -> None:
    model = filled(NET.rstrip("\n") + "\nSimpleUpsample up 1 1 out1 out2 0=2 1=3 2=6\n")
    model.save("m.param", "m.bin")
    before = model.graph.layer("up").weights["bias"].numpy(np.float32)
    assert run("quantize", *FILES, "--table", "m.table").exit_code == 0
    after = load("q.param", "q.bin").graph.layer("up").weights["bias"].numpy(np.float32)
    np.testing.assert_array_equal(after, before.astype(np.float16))


def test_weights_that_nobody_knows_of_are_not_dropped(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_registered", {})
    Path("m.param").write_text(UNKNOWN.format("Mine"))
    Path("m.bin").write_bytes(bytes(36))
    result = run("quantize", *FILES)
    assert result.exit_code == 2
    assert "error: NP606 m.bin: 36 bytes are left over; nobody knows" in result.err
    assert "Mine" in result.err
    assert not Path("q.param").exists()


def transducer(folder: Path) -> list[object]:
    names = (("encoder", "enc"), ("decoder", "dec"), ("joiner", "joi"))
    return [
        word
        for name, file in names
        for word in (f"--{name}", folder / f"{file}.param", folder / f"{file}.bin")
    ]


def test_a_wav_that_cannot_be_read_and_an_encoder_without_metadata(
    run: Run, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("kaldi_native_fbank")
    pytest.importorskip("soundfile")
    monkeypatch.chdir(tmp_path)
    small = shared / "golden/sherpa_small"
    words = ["calibrate", *transducer(small), "--wavs", "list", "--encoder-table", "e", "--joiner-table", "j"]
    Path("text.wav").write_text("no sound")
    Path("list").write_text("text.wav\n")
    result = run(*words)
    assert result.exit_code == 2
    assert result.err.startswith(
        "error: NP803 1 of 1 items cannot be used:\n  text.wav: cannot be read as audio"
    )
    with wave.open("good.wav", "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(64_000))
    Path("list").write_text("good.wav\n")
    model = load(small / "enc.param", small / "enc.bin")
    model.graph.remove(next(iter(model.graph.find("SherpaMetaData"))), reconnect=False)
    model.save("bare.param", "bare.bin")
    words[2:4] = ["bare.param", "bare.bin"]
    result = run(*words)
    assert result.exit_code == 2
    assert result.err.startswith("error: NP310 bare.param has no SherpaMetaData")
    assert not Path("e").exists()


@pytest.mark.parametrize("command", ["quantize", "calibrate", "compare", "sensitivity"])
def test_a_bin_that_is_longer_than_the_model_is_told_of(command: str, run: Run, folder: Path) -> None:
    """That of another model may be; ncnn reads what it needs and says nothing."""
    text = "7767517\n2 2\nInput in0 0 1 in0\nInnerProduct fc 1 1 in0 out0 0=2 2=6\n"
    filled(text).save("m.param", "m.bin")
    np.save("items.npy", np.arange(3, dtype=np.float32))
    data = ("--npy", "items.npy")
    assert run("calibrate", *FILES[:2], *data, "--table", "m.table").err == ""
    assert run("quantize", *FILES, "--table", "m.table").err == ""
    with Path("m.bin").open("ab") as file:
        file.write(bytes(1000))
    words = {
        "quantize": (*FILES, "--table", "m.table"),
        "calibrate": (*FILES[:2], *data, "--table", "m.table"),
        "compare": (*FILES, *data),
        "sensitivity": (*FILES, *data),
    }
    result = run(command, *words[command])
    assert result.exit_code == 0
    assert "warning: NP605 m.bin: 1,000 bytes are left over" in result.err


def test_what_is_always_zero_gets_no_scale(run: Run, folder: Path) -> None:
    text = "7767517\n2 2\nInput in0 0 1 in0\nInnerProduct fc 1 1 in0 out0 0=2 2=6\n"
    filled(text).save("z.param", "z.bin")
    np.save("zeros.npy", np.zeros((2, 3), np.float32))
    Path("items").write_text("zeros.npy\n")
    words = ("--npy", "items", "--table", "z.table", "--method", "minmax")
    result = run("calibrate", "z.param", "z.bin", *words)
    assert "warning: NP708 the inputs of these layers were always 0; they stay float: fc" in result.err
    assert all(np.isfinite(scales).all() for scales in Table.read("z.table").values())
