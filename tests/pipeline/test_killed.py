"""A run that is killed, at any moment, leaves what a second run mends: it ends with the same bytes."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .small import ROOT, config, write_model

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs signals")

QUICK = ("--until", "repair")


def start(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "ncnnparam", "pipeline", "run", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def made(folder: Path) -> dict[str, str]:
    """Digests of all that stages made, and of the output folder, but not of what tells when it was."""
    dull = ("record.json", "digests.json", "lock", "report.json", "report.html")
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "out").rglob("*"))
        if path.is_file() and path.name not in dull and path.suffix != ".log"
    }


def children(folder: Path) -> list[Path]:
    """Processes that work in a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if entry.readlink() == folder:
                found.append(entry)
        except OSError:
            continue
    return found


def interrupted(folder: Path, seconds: float, number: int, *words: str) -> bytes:
    """Runs it, sends a signal after a while, and makes sure that nobody lives on."""
    with start(folder, *words) as run:
        assert run.stderr is not None
        try:
            run.wait(seconds)
        except subprocess.TimeoutExpired:
            run.send_signal(number)
        said = run.stderr.read()
    for _ in range(100):
        if not children(folder):
            break
        time.sleep(0.1)
    assert not children(folder)
    return said


def undisturbed(folder: Path, *words: str) -> tuple[dict[str, str], float]:
    begin = time.monotonic()
    with start(folder, *words) as run:
        assert run.stderr is not None
        said = run.stderr.read()
    assert run.returncode == 0, said.decode()
    return made(folder), time.monotonic() - begin


def write(folder: Path) -> Path:
    write_model(folder)
    (folder / "ncnnparam.toml").write_text(config(), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], float]:
    return undisturbed(write(tmp_path_factory.mktemp("whole") / "project"), *QUICK)


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_killed_early(tmp_path: Path, quick: tuple[dict[str, str], float], share: float) -> None:
    folder = write(tmp_path / "project")
    interrupted(folder, share * quick[1], signal.SIGKILL, *QUICK)
    assert undisturbed(folder, *QUICK)[0] == quick[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(tmp_path: Path, quick: tuple[dict[str, str], float], number: int) -> None:
    folder = write(tmp_path / "project")
    said = interrupted(folder, 0.6 * quick[1], number, *QUICK)
    assert said.endswith(b"error: interrupted\n") or b"repair     done" in said
    assert not list(folder.glob("out/.ncnnparam/*/.new-*"))
    assert undisturbed(folder, *QUICK)[0] == quick[0]


@pytest.mark.nightly
def test_killed_at_ten_random_moments(tmp_path: Path) -> None:
    folder = tmp_path / "project"  # always the same, as files name it
    whole, seconds = undisturbed(write(folder))
    moments = [random.Random(number).uniform(0.1, 1.0) * seconds for number in range(10)]
    for moment in moments:
        shutil.rmtree(folder)
        interrupted(write(folder), moment, signal.SIGKILL)
        assert undisturbed(folder)[0] == whole, moment
    shutil.rmtree(folder)
    write(folder)
    for moment in moments:
        interrupted(folder, moment / 4, signal.SIGKILL)
    assert undisturbed(folder)[0] == whole
