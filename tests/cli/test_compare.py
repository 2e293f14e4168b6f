"""``ncnnparam compare``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from .conftest import Run

NET = """7767517
3 3
Input         in   0 1 in0
InnerProduct  fc   1 1 in0 a 0=2 2=6
InnerProduct  fc2  1 1 a out0 0=1 2=2
"""
PAIRS = ("a.param", "a.bin", "b.param", "b.bin")


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two models, of which the second has 10 % more in its last layer, and with inputs."""
    first, second = np.arange(6, dtype=np.float32), np.ones(2, np.float32)
    for name, factor in (("a", 1), ("b", 1.1)):
        (tmp_path / f"{name}.param").write_text(NET)
        last = (second * factor).astype(np.float32)
        (tmp_path / f"{name}.bin").write_bytes(bytes(4) + first.tobytes() + bytes(4) + last.tobytes())
    (tmp_path / "inputs").mkdir()
    random = np.random.default_rng(0)
    for number in range(3):
        np.save(tmp_path / f"inputs/{number}.npy", random.standard_normal((5, 3)).astype(np.float32))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_text(run: Run, nets: Path) -> None:
    result = run("compare", *PAIRS, "--npy", "inputs", "--min-sqnr", "19.9")
    assert result.exit_code == 0
    lines = result.out.splitlines()
    assert lines[0].split() == ["layer", "type", "A", "B", "reads", "own", "SQNR", "cosine", "max", "error"]
    assert lines[1].split()[:8] == [
        *("fc2", "InnerProduct", "fp32", "fp32"),
        *("equal", "20.0", "20.0", "1.000000"),
    ]
    assert "error enters at fc2 (20.0 dB)" in lines
    assert lines[-2].startswith("output out0: 20.0 dB, cosine 1.000000, max error ")
    assert lines[-1] == "# B is near enough to A over 3 items; wanted: 19.9 dB at every output"


def test_worse_than_wanted(run: Run, nets: Path) -> None:
    result = run("compare", *PAIRS, "--npy", "inputs", "--min-sqnr", "20.1", "--order", "graph", "--top", "1")
    assert result.exit_code == 1
    lines = result.out.splitlines()
    assert lines[1].split() == ["in", "Input", "float", "float", "equal", "1.000000", "0"]
    assert lines[2] == "and 2 more layers"
    assert "is not near enough" in lines[-1]


def test_the_same_model(run: Run, nets: Path) -> None:
    result = run("compare", "a.param", "a.bin", "a.param", "a.bin", "--npy", "inputs/0.npy")
    assert result.exit_code == 0
    assert result.out.splitlines()[:2] == [
        "all 3 layers are equal",
        "output out0: equal, cosine 1.000000, max error 0",
    ]


def test_a_blob_without_numbers(run: Run, nets: Path) -> None:
    lost = "7767517\n2 3\nInput in 0 1 in0\nNoop n 1 2 in0 out0 nothing\n"
    Path("lost.param").write_text(lost)
    Path("lost.bin").write_bytes(b"")
    result = run("compare", *["lost.param", "lost.bin"] * 2, "--npy", "inputs")
    assert result.exit_code == 0
    assert "output nothing: equal, cosine 1.000000, max error 0" in result.out.splitlines()


def test_json(run: Run, nets: Path) -> None:
    result = run("compare", *PAIRS, "--npy", "inputs", "--format", "json", "--min-sqnr", "30")
    assert result.exit_code == 1
    said = json.loads(result.out)
    assert (said["same"], said["items"], said["min_sqnr"]) == (False, 3, 30)
    assert said["sqnr"] == pytest.approx(20, abs=1e-3)
    assert [layer["layer"] for layer in said["layers"]] == ["in", "fc", "fc2"]
    assert said["layers"][-1]["own"] == pytest.approx(20, abs=1e-3)


def test_bad_items(run: Run, nets: Path) -> None:
    np.save("inputs/nan.npy", np.array([np.nan] * 3))
    base = ("compare", *PAIRS, "--npy", "inputs", "--min-sqnr", "10")
    refused = run(*base)
    assert refused.exit_code == 2
    assert "inputs/nan.npy: it has NaN or infinity" in refused.err
    skipped = run(*base, "--skip-bad")
    assert skipped.exit_code == 0
    assert "skipped inputs/nan.npy: " in skipped.err
    assert "over 3 items" in skipped.out


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch.jit.trace is old
def test_torchscript(run: Run, nets: Path) -> None:
    torch = pytest.importorskip("torch")
    layers = torch.nn.Linear(3, 2, bias=False), torch.nn.Linear(2, 1, bias=False)
    for layer, weights in zip(layers, (np.arange(6).reshape(2, 3), np.ones((1, 2))), strict=True):
        layer.weight.data = torch.from_numpy(weights.astype(np.float32))
    torch.jit.trace(torch.nn.Sequential(*layers), torch.zeros(1, 5, 3)).save("a.pt")
    for data in (("--npy", "inputs"), ()):
        result = run("compare", "a.pt", "a.param", "a.bin", *data, "--min-sqnr", "100")
        assert (result.exit_code, result.err) == (0, "")
        assert "is near enough to A over 3 items" in result.out
    worse = run("compare", "a.pt", "b.param", "b.bin", "--npy", "inputs", "--format", "json")
    assert json.loads(worse.out)["outputs"]["out0"]["sqnr"] == pytest.approx(20, abs=0.01)


def test_a_page(run: Run, nets: Path) -> None:
    pytest.importorskip("jinja2")
    assert run("compare", *PAIRS, "--npy", "inputs", "--html", "page.html").exit_code == 1
    text = Path("page.html").read_text(encoding="utf-8")
    assert "Error by layer" in text
    assert "fc2" in text


def test_an_item_of_a_wrong_size(run: Run, nets: Path) -> None:
    np.save("flat.npy", np.zeros(0, np.float32))
    result = run("compare", *PAIRS, "--npy", "flat.npy")
    assert result.exit_code == 2
    assert "flat.npy" in result.err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "name A.param A.bin B.param B.bin and --npy"),
        (PAIRS, "name A.param A.bin B.param B.bin and --npy"),
        ((*PAIRS, "--npy", "inputs", "--html", PAIRS[0]), "would be written over"),
        ((*PAIRS[:3], "--npy", "inputs"), "name A.param A.bin B.param B.bin and --npy"),
        ((*PAIRS, "--npy", "nowhere"), "cannot read nowhere"),
        ((*PAIRS[:3], "gone.bin", "--npy", "inputs"), "gone.bin"),
        (("--wavs", "x", "--npy", "y"), "and no others"),
        (("--encoder", "e", "b"), "also need --wavs"),
        (("--wavs", "x", "--transcripts", "t"), "give --tokens too"),
        (("--wavs", "x"), "give --encoder twice"),
        (("--wavs", "x", *("--encoder", "e", "b") * 3), "give --encoder twice"),
        (
            ("--wavs", "x", "--encoder", "e", "b", "--decoder", "d", "b", "--joiner", "j", "b"),
            "A and B are the same files",
        ),
    ],
)
def test_wrong_command_lines(run: Run, nets: Path, words: tuple[str, ...], why: str) -> None:
    result = run("compare", *words)
    assert result.exit_code == 2
    assert why in result.err


@pytest.fixture
def transducers(shared: Path) -> list[object]:
    """Options for a transducer and its int8 form, which share the decoder, and a wav."""
    pytest.importorskip("kaldi_native_fbank")
    pytest.importorskip("soundfile")
    folder = shared / "golden/sherpa_small"
    words: list[object] = ["--wavs", folder / "w1.wav", "--tokens", folder / "tokens.txt"]
    files = (
        ("encoder", "enc"),
        ("encoder", "enc.q"),
        ("decoder", "dec"),
        ("joiner", "joi"),
        ("joiner", "joi.q"),
    )
    for net, name in files:
        words += [f"--{net}", folder / f"{name}.param", folder / f"{name}.bin"]
    return words


def test_transducers(run: Run, transducers: list[object], tmp_path: Path) -> None:
    said = tmp_path / "said.txt"
    said.write_text("w1 HELLO WORLD\n")
    result = run("compare", *transducers, "--transcripts", said, "--top", "2")
    assert result.exit_code == 1
    lines = result.out.splitlines()
    assert [line for line in lines if line.startswith("@@")] == [
        f"@@ {name} @@" for name in ("encoder", "decoder", "joiner", "texts")
    ]
    assert lines[lines.index("@@ decoder @@") + 1].endswith("layers are equal")
    assert "texts: 0 of 1 are the same" in lines
    texts = [line for line in lines if line.startswith(("  A: ", "  B: "))]
    assert len(texts) == 2
    assert texts[0][5:] != texts[1][5:]
    rates = [line for line in lines if "error rate" in line]
    assert [line.split(":")[0] for line in rates] == [
        "token error rate",
        "word error rate of A",
        "word error rate of B",
    ]
    assert rates[1].endswith(" of 2)")
    assert lines[-1] == "# B is not near enough to A over 1 items; wanted: the same texts"


def test_transducers_by_sqnr(run: Run, transducers: list[object]) -> None:
    result = run("compare", *transducers, "--min-sqnr", "10", "--format", "json")
    assert result.exit_code == 0
    said = json.loads(result.out)
    assert said["same"]
    assert set(said["nets"]) == {"encoder", "decoder", "joiner"}
    assert said["token_errors"]["rate"] > 0
    assert said["word_errors"] is None
    (utterance,) = said["utterances"]
    assert not utterance["same"]
    assert all(utterance["texts"])


def test_a_transcript_is_missing(run: Run, transducers: list[object], tmp_path: Path) -> None:
    said = tmp_path / "said.txt"
    said.write_text("other HELLO\n")
    result = run("compare", *transducers, "--transcripts", said)
    assert result.exit_code == 2
    assert "has no transcript of " in result.err
    assert "w1.wav" in result.err


def test_a_bin_that_is_too_long_is_told_of(run: Run, transducers: list[object], tmp_path: Path) -> None:
    words = [str(word) for word in transducers]
    place = max(number for number, word in enumerate(words) if word.endswith(".bin"))
    longer = tmp_path / "longer.bin"
    longer.write_bytes(Path(words[place]).read_bytes() + bytes(8))
    result = run("compare", *words[:place], longer, *words[place + 1 :])
    assert f"warning: NP605 {longer}: 8 bytes are left over" in result.err


def test_tokens_of_another_model(run: Run, transducers: list[object], tmp_path: Path) -> None:
    few = tmp_path / "few.txt"
    few.write_text("<blk> 0\n<sos/eos> 1\n<unk> 2\n")
    result = run("compare", *(few if str(word).endswith("tokens.txt") else word for word in transducers))
    assert result.exit_code == 2
    assert "has 3 tokens, and the joiner gives 500 logits" in result.err
