"""Items from pictures, read by Pillow."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ncnnparam.errors import BadItemError
from ncnnparam.optional import need
from ncnnparam.quantize.data import LARGEST_ITEM, Inputs, Items, file_items, list_files

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".webp")
CHANNELS = {"rgb": 3, "bgr": 3, "gray": 1}
"""Orders of the channels, and how many they are."""


@dataclass(frozen=True)
class Preparation:
    """How a picture becomes an input: ``(pixel - mean) * norm`` for each channel.

    Attributes:
        input: Name of the input blob.
        order: ``rgb``, ``bgr`` or ``gray``.
        size: Width and height to resize to, or None to leave the size.
        mean: A number for each channel, or one for all.
        norm: A number for each channel, or one for all.
    """

    input: str
    order: str = "rgb"
    size: tuple[int, int] | None = None
    mean: tuple[float, ...] = (0.0,)
    norm: tuple[float, ...] = (1.0,)

    def __str__(self) -> str:
        return f"{self.order} size={self.size} mean={self.mean} norm={self.norm}"


def image_items(source: str | os.PathLike[str], preparation: Preparation) -> Items:
    """Items from pictures.

    Args:
        source: A folder, a list or a file; see ``list_files``.
        preparation: How to read them.

    Raises:
        FileError: There are no such files.
        NcnnParamError: Pillow is not installed.
    """
    need("PIL.Image", "quantize")
    return file_items(list_files(source, ENDINGS), partial(read_image, preparation=preparation))


def read_image(path: Path, preparation: Preparation) -> Inputs:
    """A picture as channels, rows and columns.

    Raises:
        BadItemError: It cannot be read.
    """
    pillow = need("PIL.Image", "quantize")
    try:
        with pillow.open(path) as picture:
            width, height = preparation.size or picture.size
            if 4 * 3 * max(width * height, picture.size[0] * picture.size[1]) > LARGEST_ITEM:
                raise BadItemError(f"is too large: {picture.size[0]}x{picture.size[1]} pixels")
            picture = picture.convert("L" if preparation.order == "gray" else "RGB")
            if picture.size != (width, height):
                picture = picture.resize((width, height), pillow.Resampling.BILINEAR)
            pixels = np.asarray(picture, np.float32)
    except (OSError, ValueError, SyntaxError, pillow.DecompressionBombError) as error:
        raise BadItemError(f"cannot be read as a picture: {error}") from None
    channels = pixels.reshape(height, width, -1).transpose(2, 0, 1)
    if preparation.order == "bgr":
        channels = channels[::-1]
    mean, norm = (
        np.array(each, np.float32).reshape(-1, 1, 1) for each in (preparation.mean, preparation.norm)
    )
    return {preparation.input: np.ascontiguousarray((channels - mean) * norm)}
