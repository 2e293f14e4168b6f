"""Files that are no models, and places that are no files: exit code 2, a message, and nothing is changed."""

from __future__ import annotations

import ctypes
import os
import random
import resource
from pathlib import Path

import pytest

from .conftest import SOUND, Run, assert_trouble

CONTENTS = {
    "empty": (b"", "empty"),
    "blank": (b"\n \n\t\n", "empty"),
    "one-line": (b"7767517\n", "count"),
    "one-word": (b"hello", "7767517"),
    "no-magic": (b"3 3\nInput in0 0 1 in0\n", "magic"),
    "junk": (random.Random(1).randbytes(5000), "no text"),
    "magic-then-junk": (b"7767517\n" + bytes(range(1, 256)) * 20, "count"),
    "huge-counts": (b"7767517\n999999999 999999999\nInput in0 0 1 in0\n", "999999999"),
    "endless-count": (b"7767517\n" + b"9" * 10_000 + b" 1\n", "1,000,000"),
    "long-name": (SOUND.replace(b"relu_1", b"n" * 10_000_000), "255"),
    "long-blob-name": (SOUND.replace(b"out0", b"n" * 10_000_000), "255"),
    "long-param": (SOUND.replace(b"0=0.1", b"0=" + b"1" * 10_000_000), "127"),
    "many-inputs": (SOUND.replace(b"1 1 a", b"1000000 1 a"), "ends within"),
    "nul-in-name": (SOUND.replace(b"relu_1", b"re\0lu"), "NUL"),
    "nul-at-end": (SOUND + b"\0", "NUL"),
    "cut-off": (SOUND[:-8], "ends"),
    "no-params": (SOUND.replace(b"0=0.1", b"slope=0.1"), "slope"),
}


@pytest.mark.parametrize("case", CONTENTS)
def test_check_explains(case: str, run: Run, tmp_path: Path) -> None:
    content, word = CONTENTS[case]
    path = tmp_path / f"{case}.param"
    path.write_bytes(content)
    assert_trouble(run("check", path.name), path.name, word)
    assert path.read_bytes() == content


COMMANDS = (
    "show {}",
    "fmt {}",
    "fmt --check {}",
    "check --fix --unsafe-fixes {}",
    "diff {} sound.param",
    "diff sound.param {}",
    "inject-meta {} --kind lstm --num-encoder-layers 1 --encoder-dim 8 --rnn-hidden-size 16",
    "set {} relu_1 slope=0.2",
    "rename {} relu_1 relu_9",
    "remove {} relu_1",
    "extract {} --inputs a --outputs out0 -o part.param",
    "view {}",
    "convert {} new.param.bin --id-h new.id.h",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_refuses_and_changes_nothing(
    command: str, run: Run, sound: Path, tmp_path: Path
) -> None:
    broken = SOUND.replace(b"1 1 in0", b"one 1 in0")
    path = tmp_path / "broken.param"
    path.write_bytes(broken)
    before = sorted(tmp_path.iterdir())
    assert_trouble(run(*command.format(path.name).split()), path.name, "4", "'one'")
    assert path.read_bytes() == broken
    assert sound.read_bytes() == SOUND
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_names_a_missing_file(command: str, run: Run, sound: Path, tmp_path: Path) -> None:
    assert_trouble(run(*command.format("missing.param").split()), "missing.param")
    assert sorted(tmp_path.iterdir()) == [sound]


@pytest.mark.parametrize(
    "layer",
    [
        "Concat c 2000 1" + " in0" * 2000 + " out0",
        "Concat c 2000 1" + "".join(f" u{n}" for n in range(2000)) + " out0",
        "Split s 1 2000 in0" + " out0" * 2000,
        "ReLU r 1 1 in0 out0" + " 0=1.12345678901234" * 2000,
    ],
    ids=["one-input-many-times", "undefined-inputs", "one-output-many-times", "one-param-many-times"],
)
def test_thousands_of_faults_in_a_layer(layer: str, run: Run, tmp_path: Path) -> None:
    """Ends in seconds, within the time limit of ``run``."""
    (tmp_path / "hostile.param").write_text(f"7767517\n2 4000\nInput in0 0 1 in0\n{layer}\n")
    result = run("check", "hostile.param")
    assert result.returncode == 1
    assert b"Traceback" not in result.stderr


def _little_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


def test_two_gigabytes_are_refused_unread(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "huge.param"
    with path.open("wb") as file:
        file.truncate(2 << 30)
    result = run("check", path.name, preexec_fn=_little_memory)  # there is no memory to read it
    assert_trouble(result, "huge.param", "2,147,483,648", "--max-size")


@pytest.mark.parametrize(("size", "code"), [("150", 2), (str(len(SOUND)), 0), ("1K", 0), ("much", 2)])
def test_max_size(size: str, code: int, run: Run, sound: Path) -> None:
    result = run("check", sound.name, "--max-size", size)
    assert result.returncode == code
    assert code == 0 or b"max-size" in result.stderr


def test_max_size_of_a_pipe(run: Run) -> None:
    assert_trouble(
        run("check", "-", "--max-size", "1M", input=SOUND + b" " * (1 << 20)), "standard input", "--max-size"
    )


def test_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "folder.param").mkdir()
    assert_trouble(run("show", "folder.param"), "folder.param", "irectory")
    assert_trouble(run("check", "folder.param"), "folder.param", "no .param file")


def test_file_name_that_is_no_utf8(run: Run) -> None:
    assert_trouble(run("check", b"\xff\xfe.param"), ".param", "No such file")


def test_closed_stdin(run: Run) -> None:
    assert_trouble(run("check", "-", stdin=None, preexec_fn=lambda: os.close(0)), "standard input")


_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2


def _bound_by_permissions() -> None:
    """Permissions do not bind root: take that privilege from the child (see prctl(2), capabilities(7))."""
    if os.geteuid() == 0:
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, capability)


def test_unreadable_file(run: Run, sound: Path) -> None:
    sound.chmod(0)
    assert_trouble(run("check", sound.name, preexec_fn=_bound_by_permissions), sound.name, "ermission denied")


@pytest.mark.parametrize("output", [(), ("-o", "new.param")])
def test_read_only_folder(output: tuple[str, ...], run: Run, sound: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    result = run("set", sound.name, "relu_1", "slope=0.2", *output, preexec_fn=_bound_by_permissions)
    tmp_path.chmod(0o755)
    assert_trouble(result, output[1] if output else sound.name, "ermission denied")
    assert sound.read_bytes() == SOUND
    assert list(tmp_path.iterdir()) == [sound]
