"""Statistics: merged in any order, kept in a file, and refused where they do not belong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam.errors import ConfigError, FileError
from ncnnparam.quantize.histogram import EXACT, Histogram
from ncnnparam.quantize.statistics import Statistics


def some(*names: str, settings: dict[str, str] | None = None) -> Statistics:
    """Statistics of items that each make a blob of their own and one that all make."""
    statistics = Statistics(settings or {"model": "m"})
    for name in names:
        numbers = np.frombuffer(name.encode(), np.uint8).astype(np.float32)
        blobs = {"shared": Histogram.of([numbers]), name: Histogram.of([numbers * 2])}
        statistics.update(Statistics(statistics.settings, {name: f"digest of {name}"}, blobs))
    return statistics


def merged(*parts: Statistics) -> Statistics:
    made = Statistics(parts[0].settings)
    for part in parts:
        made.update(part)
    return made


@given(st.lists(st.text("abc", min_size=1, max_size=4), min_size=3, max_size=9, unique=True))
def test_merging_is_associative(names: list[str]) -> None:
    third = len(names) // 3
    a, b, c = some(*names[:third]), some(*names[third : 2 * third]), some(*names[2 * third :])
    assert merged(merged(a, b), c) == merged(a, merged(b, c)) == merged(c, b, a) == some(*names)


def test_an_item_counts_once() -> None:
    statistics = some("a", "b")
    with pytest.raises(ConfigError, match="both statistics have run b"):
        statistics.update(some("b", "c"))
    assert statistics == some("a", "b")


def test_other_models_do_not_mix() -> None:
    with pytest.raises(ConfigError, match="model was m and is n"):
        some("a").update(some("b", settings={"model": "n"}))


def test_file(tmp_path: Path) -> None:
    statistics = some("a", "bcd")
    large = np.random.default_rng(0).standard_normal(EXACT + 1).astype(np.float32)
    statistics.blobs["large"] = Histogram.of([large])
    statistics.save(tmp_path / "s.npz")
    assert Statistics.load(tmp_path / "s.npz") == statistics


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"\x93NUMPY"])
def test_no_statistics(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.npz"
    path.write_bytes(content)
    with pytest.raises(FileError, match="holds no statistics"):
        Statistics.load(path)


def test_arrays_of_others(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.zeros(3))
    with pytest.raises(FileError, match="holds no statistics"):
        Statistics.load(tmp_path / "x.npz")
    pickled = np.array([{"a": 1}], dtype=object)
    np.savez(tmp_path / "y.npz", about=pickled)
    with pytest.raises(FileError, match="holds no statistics"):
        Statistics.load(tmp_path / "y.npz")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot read"):
        Statistics.load(tmp_path / "none.npz")
