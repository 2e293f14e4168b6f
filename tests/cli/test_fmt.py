"""``ncnnparam fmt``: canonical form, and nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Run
from .small import SMALL, loads_in_ncnn, ncnnparam

UNTIDY = "7767517\r\n8  12\r\n\r\n" + "\r\n".join(
    "\t".join(line.split(None, 4)) + " " for line in SMALL.splitlines()[2:]
)
TRAILING = SMALL + "\nsome notes\n"
MORE = SMALL.replace("8 9", "7 9")
FEWER = SMALL.replace("8 9", "9 9")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "untidy.param"
    path.write_bytes(UNTIDY.encode())
    return path


def test_in_place(run: Run, model: Path) -> None:
    result = run("fmt", model)
    assert (result.exit_code, result.out, result.err) == (0, "", f"wrote {model}\n")
    assert model.read_bytes() == SMALL.encode()  # params keep their spelling, the blob count is corrected
    assert loads_in_ncnn(model)


def test_canonical_files_are_left_alone(run: Run, model: Path) -> None:
    model.write_text(SMALL)
    before = model.stat()
    result = run("fmt", model)
    assert (result.exit_code, result.out, result.err) == (0, "", "")
    assert model.stat().st_ino == before.st_ino


def test_check_and_diff_write_nothing(run: Run, model: Path) -> None:
    result = run("fmt", "--check", model)
    assert (result.exit_code, result.out, result.err) == (1, "", f"would change {model}\n")
    result = run("fmt", "--diff", model)
    assert result.exit_code == 0
    assert result.out.startswith(f"--- {model}\n+++ {model}\n@@ -1,11 +1,10 @@\n")
    assert result.out.endswith("\n+" + SMALL.splitlines()[-1] + "\n")
    assert "\\ No newline at end of file\n" in result.out
    assert run("fmt", "--check", "--diff", model).exit_code == 1
    assert model.read_bytes() == UNTIDY.encode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TRAILING, "has text behind its last layer, which would be lost\n  hint: --drop-trailing"),
        (MORE, "declares 7 layers and has 8, and ncnn does not read the rest\n  hint: --drop-trailing"),
        (
            FEWER,
            "declares 9 layers and has 8, so it is not clear what it means\n  hint: ncnnparam check --fix",
        ),
        (SMALL.replace("8 9", "0 9"), "declares 0 layers"),
        (SMALL.replace("8 9", "-3 9"), "declares -3 layers"),
        ("", "error: "),
        (SMALL.replace("0=8", "0="), "ends too early"),
    ],
)
def test_what_would_lose_something_is_refused(run: Run, model: Path, text: str, said: str) -> None:
    model.write_text(text)
    result = run("fmt", model)
    assert (result.exit_code, result.out) == (2, "")
    assert said in result.err
    assert model.read_text() == text


def test_drop_trailing(run: Run) -> None:
    assert run("fmt", "--drop-trailing", "-", stdin=TRAILING).out == SMALL
    cut = SMALL.replace("8 9", "7 8").rpartition("Softmax")[0]
    assert run("fmt", "--drop-trailing", "-", stdin=MORE).out == cut
    assert run("fmt", "--drop-trailing", "-", stdin=FEWER).exit_code == 2


def test_one_bad_file_does_not_stop_the_others(run: Run, model: Path, tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.param", tmp_path / "good.param"
    bad.write_text(TRAILING)
    good.write_text(SMALL)
    result = run("fmt", bad, tmp_path / "missing.param", model, good)
    assert result.exit_code == 2
    assert result.err.endswith("changed 1 of 4 files, 2 could not be formatted\n")
    assert model.read_text() == SMALL
    assert bad.read_text() == TRAILING


def test_output_and_backup(run: Run, model: Path, tmp_path: Path) -> None:
    assert run("fmt", model, "-o", tmp_path / "out.param").exit_code == 0
    assert (tmp_path / "out.param").read_text() == SMALL
    assert model.read_bytes() == UNTIDY.encode()
    assert run("fmt", model, "--backup").exit_code == 0
    assert Path(f"{model}.bak").read_bytes() == UNTIDY.encode()
    result = run("fmt", model, model, "-o", tmp_path / "out.param")
    assert (result.exit_code, "-o takes one MODEL" in result.err) == (2, True)


def test_pipe_of_real_processes() -> None:
    done = ncnnparam("fmt", "-", stdin=UNTIDY.encode())
    assert (done.returncode, done.stdout, done.stderr) == (0, SMALL.encode(), b"")
