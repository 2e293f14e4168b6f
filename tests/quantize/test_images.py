"""Pictures as inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ncnnparam.quantize.images import Preparation, image_items

pillow = pytest.importorskip("PIL.Image")
PIXELS = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    pillow.fromarray(PIXELS).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_channels_rows_columns(picture: Path) -> None:
    (item,) = image_items(picture, Preparation("data")).good
    assert np.array_equal(item.load()["data"], PIXELS.transpose(2, 0, 1))


def test_mean_norm_and_order(picture: Path) -> None:
    how = Preparation("data", "bgr", None, (1.0, 2.0, 3.0), (0.5, 0.25, 2.0))
    (item,) = image_items(picture.parent, how).good
    wanted = (PIXELS[..., ::-1].astype(np.float32) - [1, 2, 3]) * [0.5, 0.25, 2.0]
    assert np.allclose(item.load()["data"], wanted.transpose(2, 0, 1))


def test_size_and_gray(picture: Path) -> None:
    (item,) = image_items(picture, Preparation("data", "gray", (8, 4))).good
    assert item.load()["data"].shape == (1, 4, 8)


def test_bad_pictures(picture: Path) -> None:
    (picture.parent / "b.png").write_bytes(picture.read_bytes()[:40])
    (picture.parent / "c.jpg").write_text("no picture")
    items = image_items(picture.parent, Preparation("data"))
    assert len(items.good) == 1
    assert all("cannot be read as a picture" in why for why in items.bad.values())
    assert len(items.bad) == 2
