"""Nets in this process, which children have loaded before."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

from ncnnparam.errors import NcnnParamError
from ncnnparam.runtime.session import Session, require_all_sound, require_sound

NET = """7767517
2 2
Input   in   0 1 in0
{type}  one  1 1 in0 out0
"""

WEIGHED = NET.replace("in0 out0", "in0 out0 0=1 2=3")
"""With the layer InnerProduct, which reads ``WEIGHTS``."""
WEIGHTS = bytes(16)

LOST = """7767517
3 4
Input   in   0 1 in0
Noop    n    1 2 in0 out0 nothing
ReLU    r    1 1 nothing out1
"""

MINE = """7767517
3 3
Input   in   0 1 in0
ReLU    r    1 1 in0 mid
Mine    m    1 1 mid out0
"""

RUN = """
import sys
import numpy as np
from ncnnparam.errors import NcnnParamError
from ncnnparam.runtime.session import Session

def started():
    net = Session(*sys.argv[1:], ["Mine"])
    return net, net.start({"in0": np.ones(1 << 16, np.float32)})

net, run = started()
run.fetch(["mid"])
"""
"""Has a net with a layer in Python, and a run that holds numbers."""

ENDS = {
    "an error": "raise RuntimeError('nothing else')",
    "a ring": "ring = [net, run]; ring.append(ring); del net, run",
    "the net goes first": "del net; run.fetch(['mid']); del run",
    "the run goes first": "del run, net",
    "closed": "net.close(); del net, run",
    "closed, and the run goes first": "net.close(); del run, net",
    "closed within a run": """
try:
    run.fetch(["out7"])
except NcnnParamError as error:
    net.close()
    kept = error  # has the frames of the run
del net, run, kept
""",
}

SOUND = """
import sys
from ncnnparam.runtime.session import require_all_sound

require_all_sound([((param, weights), ()) for param, weights in zip(sys.argv[1::2], sys.argv[2::2])])
"""

HANGS = 60
"""Seconds after which something hangs; a child may run for longer."""

needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")


def pair(folder: Path, name: str, type: str) -> tuple[str, str]:
    param, weights = folder / f"{name}.param", folder / f"{name}.bin"
    param.write_text(NET.format(type=type))
    weights.write_bytes(b"")
    return str(param), str(weights)


def test_several_nets_are_sound(tmp_path: Path) -> None:
    both = pair(tmp_path, "a", "ReLU"), pair(tmp_path, "b", "Mine")
    require_all_sound(zip(both, ((), ("Mine",)), strict=True))
    with pytest.raises(NcnnParamError, match=r"b\.param: ncnn refuses"):  # its type makes it sound
        require_all_sound(zip(both, ((), ()), strict=True))


def test_the_first_that_is_not_sound_is_named(tmp_path: Path) -> None:
    pairs = [pair(tmp_path, name, type) for name, type in (("a", "ReLU"), ("b", "Mine"), ("c", "Mine"))]
    with pytest.raises(NcnnParamError, match=r"b\.param"):
        require_all_sound([(files, ()) for files in pairs])


def pipe(folder: Path, name: str) -> tuple[str, str]:
    """A net whose weights are a pipe: to load it takes until somebody has written them."""
    param, weights = folder / f"{name}.param", folder / f"{name}.bin"
    param.write_text(WEIGHED.format(type="InnerProduct"))
    os.mkfifo(weights)
    return str(param), str(weights)


@needs_pipes
def test_something_is_done_while_a_child_loads(tmp_path: Path) -> None:
    param, weights = pipe(tmp_path, "a")
    # whoever opens the pipe waits for the child, and the child for whoever opens it
    written: list[int] = []
    require_sound(param, weights, meanwhile=lambda: written.append(Path(weights).write_bytes(WEIGHTS)))
    assert written == [len(WEIGHTS)]


@needs_pipes
def test_an_interrupt_ends_the_children(tmp_path: Path) -> None:
    nets = pipe(tmp_path, "a"), pipe(tmp_path, "b")
    words = [sys.executable, "-c", SOUND, *nets[0], *nets[1]]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as parent:
        writers = [os.open(weights, os.O_WRONLY) for _, weights in nets]  # waits until a child reads
        parent.send_signal(signal.SIGINT)
        try:
            said = parent.communicate(timeout=HANGS)[1]
        finally:
            parent.kill()
    assert said.splitlines()[-1] == "KeyboardInterrupt"
    for writer in writers:
        with pytest.raises(BrokenPipeError):
            os.write(writer, b"anybody?")
        os.close(writer)


@needs_pipes
def test_a_net_that_is_not_sound_does_not_wait_for_the_others(tmp_path: Path) -> None:
    words = [sys.executable, "-c", SOUND, *pair(tmp_path, "a", "Mine"), *pipe(tmp_path, "b")]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=HANGS)
    assert ended.returncode == 1
    assert "a.param: ncnn refuses" in ended.stderr


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_process_may_end_as_it_likes(tmp_path: Path, end: str) -> None:
    param, weights = tmp_path / "a.param", tmp_path / "a.bin"
    param.write_text(MINE)
    weights.write_bytes(b"")
    words = [sys.executable, "-c", RUN + end, param, weights]
    ended = subprocess.run(words, capture_output=True, text=True)
    if "raise" in end:
        assert (ended.returncode, ended.stderr.splitlines()[-1]) == (1, "RuntimeError: nothing else")
    else:
        assert (ended.returncode, "Exception" in ended.stderr) == (0, False)


def test_a_run_keeps_its_session(tmp_path: Path) -> None:
    array = np.ones(3, np.float32)
    files = pair(tmp_path, "a", "ReLU")
    np.testing.assert_array_equal(Session(*files).start({"in0": array}).fetch(["out0"])["out0"], array)


def test_a_closed_session_says_so(tmp_path: Path) -> None:
    session = Session(*pair(tmp_path, "a", "ReLU"))
    run = session.start({"in0": np.ones(3, np.float32)})
    session.close()
    assert len(session._extractors) == 0  # those of runs that go on living
    session.close()
    with pytest.raises(NcnnParamError, match=r"a\.param is closed"):
        run.fetch(["out0"])
    with pytest.raises(NcnnParamError, match=r"a\.param is closed"):
        session.start({})


def test_runs_leave_nothing_in_their_session(tmp_path: Path) -> None:
    session = Session(*pair(tmp_path, "a", "ReLU"))
    for number in range(200):
        session.run({"in0": np.full(3, number, np.float32)}, ["out0"])
    assert len(session._extractors) == 0


def test_a_session_with_a_custom_type_is_freed(tmp_path: Path) -> None:
    session = Session(*pair(tmp_path, "a", "Mine"), ["Mine"])
    freed = weakref.ref(session)
    del session
    gc.collect()
    assert freed() is None


def test_without_ncnn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ncnn", None)
    with pytest.raises(NcnnParamError, match="ncnn, which is not installed"):
        Session(*pair(tmp_path, "a", "ReLU"))


def test_a_blob_without_numbers(tmp_path: Path) -> None:
    param, weights = tmp_path / "lost.param", tmp_path / "lost.bin"
    param.write_text(LOST)
    weights.write_bytes(b"")
    run = Session(param, weights).start({"in0": np.ones(3, np.float32)})
    found = run.fetch(["out0", "nothing"])
    assert found["out0"].tolist() == [1, 1, 1]
    assert (found["nothing"].shape, found["nothing"].dtype) == ((0,), np.float32)
    with pytest.raises(NcnnParamError, match="cannot compute 'out1'"):
        run.fetch(["out1"])


def test_sizes_below_zero(tmp_path: Path) -> None:
    param, weights = tmp_path / "small.param", tmp_path / "small.bin"
    param.write_text("7767517\n2 2\nInput in 0 1 in0\nPooling pool 1 1 in0 out0 0=0 1=9 2=3 5=1\n")
    weights.write_bytes(b"")
    with pytest.raises(NcnnParamError, match="cannot compute 'out0'"):
        Session(param, weights).run({"in0": np.ones((1, 2, 2), np.float32)}, ["out0"])


@pytest.mark.parametrize("shape", [(12,), (3, 4), (2, 3, 4), (2, 3, 4, 5)], ids=str)
def test_the_shape_of_a_blob_is_told_without_its_numbers(tmp_path: Path, shape: tuple[int, ...]) -> None:
    (tmp_path / "m.param").write_text(NET.format(type="ReLU"))
    (tmp_path / "m.bin").touch()
    run = Session(str(tmp_path / "m.param"), str(tmp_path / "m.bin")).start(
        {"in0": np.ones(shape, np.float32)}
    )
    assert run.shape("out0") == run.fetch(["out0"])["out0"].shape == shape
