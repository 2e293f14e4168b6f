"""Keys say what has changed."""

from __future__ import annotations

import pytest

from ncnnparam.pipeline.key import Key

OLD = Key("repair 1", {"target": "ncnn"}, {"encoder.fp32.bin": "1"}, {"pnnx": "20260101"})


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (OLD, ""),
        (Key("repair 2", OLD.settings, OLD.inputs, OLD.tools), "repair 1 has become repair 2"),
        (Key("repair 1", {"target": "sherpa"}, OLD.inputs, OLD.tools), "target is sherpa, was ncnn"),
        (Key("repair 1", OLD.settings, {"encoder.fp32.bin": "2"}, OLD.tools), "encoder.fp32.bin has changed"),
        (Key("repair 1", OLD.settings, {}, OLD.tools), "encoder.fp32.bin is gone"),
        (
            Key("repair 1", OLD.settings, {**OLD.inputs, "wavs/a": "3"}, {"pnnx": "2"}),
            "wavs/a is new, pnnx is 2, was 20260101",
        ),
    ],
)
def test_what_changed(new: Key, why: str) -> None:
    assert new.differs(OLD) == why
    assert (new.digest == OLD.digest) == (not why)


def test_many_changes_are_cut_short() -> None:
    new = Key("repair 1", OLD.settings, {f"wavs/{n}": "1" for n in range(5)}, OLD.tools)
    assert new.differs(OLD) == "wavs/0 is new, wavs/1 is new, wavs/2 is new and 3 more"
