"""The demo encoder that ships with the package, in the real ncnn and in sherpa-ncnn."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
ncnn = pytest.importorskip("ncnn")

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "ncnnparam" / "demo"
METADATA = "SherpaMetaData           sherpa_meta_data1        0 0 0=1 1=2 2=16 3=15 4={left} 5=32 6=8 7=48"

# Greedy search over the torch module's frames, with decoder and joiner of ../shared/vectors/conv-emformer,
# gives this text for speech.wav; the closest decision in it has a margin of 0.012.
TEXT = "QQ3VQ2QE6Q"


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    with np.load(DEMO / "expected.npz") as arrays:
        return dict(arrays)


@pytest.fixture
def net() -> Iterator[Any]:
    net = ncnn.Net()
    yield net
    net.clear()


def run(net: Any, inputs: list[Any]) -> list[Any]:
    """Feed in0, in1, ...; return out0, out1, ..., as many."""
    extractor = net.create_extractor()
    for index, array in enumerate(inputs):
        extractor.input(f"in{index}", ncnn.Mat(array).clone())  # the Mat alone does not own its numbers
    outputs = []
    for index in range(len(inputs)):
        status, mat = extractor.extract(f"out{index}")
        assert status == 0
        outputs.append(np.array(mat))
    return outputs


def blobs(expected: dict[str, Any], stem: str) -> list[Any]:
    """The arrays <stem>0, <stem>1, ... in order."""
    return [expected[f"{stem}{index}"] for index in range(sum(name.startswith(stem) for name in expected))]


def assert_repeats_torch(net: Any, expected: dict[str, Any]) -> None:
    first = run(net, blobs(expected, "chunk0.in"))
    second = run(net, [expected["chunk1.in0"], *first[1:]])
    for found, wanted in zip(
        [*first, second[0]], [*blobs(expected, "chunk0.out"), expected["chunk1.out0"]], strict=True
    ):
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4)


def with_metadata(target: Path, *, left: int = 8) -> Path:
    """Write the encoder with the metadata line and one layer more in the header."""
    magic, counts, *layers = (DEMO / "encoder.ncnn.param").read_text().splitlines(keepends=True)
    layer_count, blob_count = counts.split()
    header = [magic, f"{int(layer_count) + 1} {blob_count}\n", METADATA.format(left=left) + "\n"]
    target.write_text("".join([*header, *layers]))
    return target


def test_ncnn_repeats_torch(net: Any, expected: dict[str, Any]) -> None:
    assert net.load_param(str(DEMO / "encoder.ncnn.param")) == 0
    assert net.load_model(str(DEMO / "encoder.ncnn.bin")) == 0
    assert len(blobs(expected, "chunk0.in")) == len(blobs(expected, "chunk0.out")) == 9
    assert_repeats_torch(net, expected)


def test_it_ships_without_metadata() -> None:
    assert "SherpaMetaData" not in (DEMO / "encoder.ncnn.param").read_text()


def test_config_tells_the_sizes_of_the_states(expected: dict[str, Any]) -> None:
    flags = tomllib.loads((DEMO / "ncnnparam.toml").read_text())["model"]
    assert flags["kind"] == "conv-emformer"
    dim, left = flags["encoder-dim"], flags["left-context-length"] // 4
    layer = [(flags["memory-size"], dim), (left, dim), (left, dim), (dim, flags["cnn-module-kernel"] - 1)]
    segment = flags["chunk-length"] + flags["right-context-length"] + 11
    shapes = [(segment, 80), *layer * flags["num-encoder-layers"]]
    assert [array.shape for array in blobs(expected, "chunk0.in")] == shapes
    assert expected["chunk0.out0"].shape == (flags["chunk-length"] // 4, dim)


def test_with_metadata_ncnn_wants_a_custom_layer(net: Any, tmp_path: Path) -> None:
    assert net.load_param(str(with_metadata(tmp_path / "meta.param"))) == -1


def test_with_metadata_and_custom_layer(net: Any, expected: dict[str, Any], tmp_path: Path) -> None:
    owned = []  # ncnn keeps bare pointers: each layer has to outlive the net's use of it

    def create() -> Any:
        owned.append(ncnn.Layer())
        return owned[-1]

    assert net.register_custom_layer("SherpaMetaData", create, lambda layer: None) == 0
    assert net.load_param(str(with_metadata(tmp_path / "meta.param"))) == 0
    assert net.load_model(str(DEMO / "encoder.ncnn.bin")) == 0
    assert len(owned) == 1
    assert_repeats_torch(net, expected)
    net.clear()


@pytest.mark.parametrize(("left", "is_right"), [(8, True), (32, False)])
def test_sherpa_ncnn_runs_it(shared: Path, tmp_path: Path, left: int, is_right: bool) -> None:
    pytest.importorskip("sherpa_ncnn")
    param = with_metadata(tmp_path / "encoder.param", left=left)
    script = """
import sys, wave
import numpy as np, sherpa_ncnn
param, demo, vectors = sys.argv[1:]
stem = vectors + "/conv-emformer/raw/fp32/{}_jit_trace_pnnx.ncnn.{}"
recognizer = sherpa_ncnn.Recognizer(
    tokens=vectors + "/tokens.txt",
    encoder_param=param, encoder_bin=demo + "/encoder.ncnn.bin",
    decoder_param=stem.format("decoder", "param"), decoder_bin=stem.format("decoder", "bin"),
    joiner_param=stem.format("joiner", "param"), joiner_bin=stem.format("joiner", "bin"),
    num_threads=1,
)
with wave.open(vectors + "/speech.wav") as wav:
    samples = np.frombuffer(wav.readframes(wav.getnframes()), np.int16).astype(np.float32) / 32768
recognizer.accept_waveform(16000, samples)
recognizer.accept_waveform(16000, np.zeros(8000, np.float32))
print(recognizer.text)
"""
    command = [sys.executable, "-c", script, str(param), str(DEMO), str(shared / "vectors")]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert (run.stdout.splitlines()[-1] == TEXT) is is_right


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> Any:
    pytest.importorskip("torch")
    pytest.importorskip("pnnx")
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module("make_demo_encoder")


@pytest.mark.nightly
def test_generator_makes_the_shipped_files(generator: Any, tmp_path: Path) -> None:
    subprocess.run([sys.executable, generator.__file__, "--output", str(tmp_path)], timeout=300, check=True)
    for name in ("encoder.ncnn.param", "encoder.ncnn.bin", "ncnnparam.toml"):
        assert (tmp_path / name).read_bytes() == (DEMO / name).read_bytes(), name
    with np.load(tmp_path / "expected.npz") as made, np.load(DEMO / "expected.npz") as shipped:
        assert made.files == shipped.files
        for name in shipped.files:
            np.testing.assert_allclose(made[name], shipped[name], rtol=0, atol=1e-5)


@pytest.mark.nightly
def test_generator_refuses_a_wrong_graph(generator: Any, expected: dict[str, Any], tmp_path: Path) -> None:
    right = (DEMO / "encoder.ncnn.param").read_text()
    wrong = right.replace("0=2 1=1 2=0.288675129", "0=2 1=1 2=0.25", 1)  # the scale of one attention
    assert wrong != right
    (tmp_path / "encoder.param").write_text(wrong)
    shutil.copy(DEMO / "encoder.ncnn.bin", tmp_path / "encoder.bin")
    net = generator.load(tmp_path / "encoder.param", tmp_path / "encoder.bin")
    with pytest.raises(generator.DemoError, match=r"out\d+: ncnn and torch differ by"):
        generator.worst_difference(net, expected, 9)
