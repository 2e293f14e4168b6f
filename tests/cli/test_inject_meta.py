"""``ncnnparam inject-meta`` on real encoders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import ncnnparam as nnp
from tests.cli.conftest import Run

# the lines and flags of icefall's export pages
DOCS = {
    "conv_emformer_encoder_raw.param": (
        "--num-encoder-layers 12 --chunk-length 32 --cnn-module-kernel 31 --left-context-length 32 "
        "--right-context-length 8 --memory-size 32 --encoder-dim 512",
        "SherpaMetaData           sherpa_meta_data1        0 0 0=1 1=12 2=32 3=31 4=8 5=32 6=8 7=512",
    ),
    "lstm_encoder_raw.param": (
        "--kind lstm --num-encoder-layers 12 --encoder-dim 512 --rnn-hidden-size 1024",
        "SherpaMetaData           sherpa_meta_data1        0 0 0=3 1=12 2=512 3=1024",
    ),
    "zipformer_encoder_raw.param": (
        "--decode-chunk-len 32 --num-left-chunks 4 --num-encoder-layers 2,4,3,2,4 "
        "--encoder-dims 384,384,384,384,384 --attention-dims 192,192,192,192,192 "
        "--zipformer-downsampling-factors 1,2,4,8,2 --cnn-module-kernels 31,31,31,31,31",
        "SherpaMetaData           sherpa_meta_data1        0 0 0=2 1=32 2=4 3=7 15=1 "
        "-23316=5,2,4,3,2,4 -23317=5,384,384,384,384,384 -23318=5,192,192,192,192,192 "
        "-23319=5,1,2,4,8,2 -23320=5,31,31,31,31,31",
    ),
}


@pytest.fixture
def encoder(root: Path, tmp_path: Path) -> Path:
    """The demo encoder with its config beside it."""
    for name in ("encoder.ncnn.param", "ncnnparam.toml"):
        shutil.copyfile(root / "ncnnparam/demo" / name, tmp_path / name)
    return tmp_path / "encoder.ncnn.param"


@pytest.mark.parametrize("name", DOCS)
def test_docs_flags_give_the_docs_line(run: Run, shared: Path, tmp_path: Path, name: str) -> None:
    flags, line = DOCS[name]
    before = (shared / "corpus/icefall" / name).read_bytes()
    model = tmp_path / name
    model.write_bytes(before)
    assert run("inject-meta", model, *flags.split()).exit_code == 0
    magic, counts, *layers = before.split(b"\n")
    layer_count, blob_count = map(int, counts.split())
    header = f"{layer_count + 1} {blob_count}".encode()
    assert model.read_bytes() == b"\n".join([magic, header, line.encode(), *layers])


def test_docs_header(run: Run, shared: Path, tmp_path: Path) -> None:
    """The docs' encoder has 1060 layers and 1342 blobs; today's pnnx writes fewer, so some are added here."""
    graph = nnp.load(shared / "corpus/icefall/conv_emformer_encoder_raw.param").graph
    graph.append("Slice", "end", inputs=["out0"], outputs=2)
    while graph.layer_count < 1060:
        graph.insert_after(graph.layer("end"), "Sigmoid")
    model = tmp_path / "encoder.param"
    nnp.save(graph, model)
    old = model.read_text().splitlines()
    assert old[1] == "1060 1342"
    flags, line = DOCS["conv_emformer_encoder_raw.param"]
    assert run("inject-meta", model, *flags.split()).exit_code == 0
    assert model.read_text().splitlines() == [old[0], "1061 1342", line, *old[2:]]


def test_config_beside_the_model(run: Run, encoder: Path) -> None:
    before = encoder.read_text()
    result = run("inject-meta", encoder, "--from-config")
    assert result.exit_code == 0
    assert "layers 188 -> 189, blobs 234 -> 234" in result.err
    line = "SherpaMetaData           sherpa_meta_data1        0 0 0=1 1=2 2=16 3=15 4=8 5=32 6=8 7=48\n"
    assert encoder.read_text() == before.replace("188 234\n", "189 234\n" + line)


def test_twice_is_once(run: Run, encoder: Path) -> None:
    run("inject-meta", encoder, "--from-config")
    once, stamp = encoder.read_bytes(), encoder.stat().st_mtime_ns
    result = run("inject-meta", encoder, "--from-config", "--backup")
    assert (result.exit_code, encoder.read_bytes(), encoder.stat().st_mtime_ns) == (0, once, stamp)
    assert "unchanged" in result.err
    assert not encoder.with_name(encoder.name + ".bak").exists()


@pytest.mark.parametrize("suffix", ["yaml", "json", "sh", "log"])
def test_other_sources(run: Run, encoder: Path, tmp_path: Path, suffix: str) -> None:
    flags = {
        "num_encoder_layers": 2,
        "memory_size": 16,
        "cnn_module_kernel": 15,
        "left_context_length": 32,
        "chunk_length": 32,
        "right_context_length": 8,
        "encoder_dim": 48,
    }
    words = " \\\n  ".join(f"--{name.replace('_', '-')} {value}" for name, value in flags.items())
    text = {
        "yaml": "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in flags.items()),
        "json": json.dumps(flags),
        "sh": f"./conv_emformer_transducer_stateless2/export-for-ncnn.py \\\n  {words}\n",
        "log": f"2026-01-01 00:00:00,000 INFO [export-for-ncnn.py:200] {flags}\n",
    }[suffix]
    source = tmp_path / f"export.{suffix}"
    source.write_text(text)
    result = run("inject-meta", encoder, "--from-config", source)
    assert result.exit_code == 0, result.err
    assert "0 0 0=1 1=2 2=16 3=15 4=8 5=32 6=8 7=48" in encoder.read_text()


def test_contradiction_is_refused_with_both_numbers(run: Run, encoder: Path) -> None:
    before = encoder.read_bytes()
    result = run("inject-meta", encoder, "--from-config", "--left-context-length", "128")
    assert (result.exit_code, encoder.read_bytes()) == (2, before)
    assert "128 (4=32)" in result.err
    assert "32 (4=8)" in result.err
    forced = run("inject-meta", encoder, "--from-config", "--left-context-length", "128", "--force")
    assert forced.exit_code == 0
    assert "warning" in forced.err
    assert " 4=32 " in encoder.read_text()


def test_other_metadata_needs_replace(run: Run, encoder: Path) -> None:
    run("inject-meta", encoder, "--infer", "--set", "4=32", "--force")
    wrong = encoder.read_bytes()
    assert run("inject-meta", encoder, "--infer").exit_code == 2
    assert encoder.read_bytes() == wrong
    assert run("inject-meta", encoder, "--infer", "--replace").exit_code == 0
    assert encoder.read_bytes() == wrong.replace(b" 4=32 ", b" 4=8 ")


def test_a_count_that_somebody_forgot_is_mended(run: Run, encoder: Path) -> None:
    """The docs' way done halfway: the line is in, the layer count is not."""
    line = "SherpaMetaData           sherpa_meta_data1        0 0 0=1 1=2 2=16 3=15 4=8 5=32 6=8 7=48\n"
    encoder.write_text(encoder.read_text().replace("188 234\n", "188 234\n" + line))
    result = run("inject-meta", encoder, "--from-config")
    assert result.exit_code == 0
    assert encoder.read_text().splitlines()[1] == "189 234"


def test_dry_run_writes_nothing(run: Run, encoder: Path) -> None:
    before = encoder.read_bytes()
    result = run("inject-meta", encoder, "--from-config", "--dry-run")
    assert (result.exit_code, encoder.read_bytes()) == (0, before)
    assert "+SherpaMetaData" in result.out
    assert "+189 234" in result.out


def test_through_a_pipe(run: Run, encoder: Path) -> None:
    text = encoder.read_text()
    result = run("inject-meta", "-", "--infer", stdin=text)
    assert result.exit_code == 0
    assert result.out.splitlines()[1] == "189 234"
    assert nnp.loads(result.out).graph.layer("sherpa_meta_data1").type == "SherpaMetaData"


def test_crlf_stays(run: Run, encoder: Path) -> None:
    encoder.write_bytes(encoder.read_bytes().replace(b"\n", b"\r\n"))
    assert run("inject-meta", encoder, "--from-config").exit_code == 0
    lines = encoder.read_bytes().split(b"\r\n")
    assert len(lines) == 192
    assert not any(b"\n" in line for line in lines)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "--from-config, icefall's flags, or --infer"),
        (["--kind", "lstm"], "--from-config, icefall's flags, or --infer"),
        (["--kind", "zipfromer", "--infer"], "zipformer"),
        (["--num-encoder-layers", "two", "--infer"], "--num-encoder-layers is 'two'"),
        (["--memory-size", "16"], "lacks --num-encoder-layers"),
        (["--from-config", "missing.toml"], "missing.toml"),
        (["--infer", "--set", "9=1"], "key 9"),
        (["--infer", "--set", "four=8"], "KEY=VALUE"),
        (["--infer", "--encoder-dims", "48,48"], "the graph does not help: it is conv-emformer"),
    ],
)
def test_mistakes(run: Run, encoder: Path, args: list[str], message: str) -> None:
    before = encoder.read_bytes()
    result = run("inject-meta", encoder, *args)
    assert (result.exit_code, encoder.read_bytes()) == (2, before)
    assert message in result.err
    assert "Traceback" not in result.err


def test_no_config_to_find(run: Run, encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (encoder.parent / "ncnnparam.toml").unlink()
    monkeypatch.chdir(encoder.parent)
    result = run("inject-meta", encoder, "--from-config")
    assert result.exit_code == 2
    assert "ncnnparam.toml" in result.err


def test_a_model_behind_from_config_is_missed(run: Run, encoder: Path) -> None:
    result = run("inject-meta", "--from-config", encoder)
    assert result.exit_code == 2
    assert "MODEL stands before --from-config" in result.err
