"""Pages in the real Chromium: nothing sticks out of a narrow window, nothing is asked for, dark is dark."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ncnnparam.views.page import Code, Facts, Section, Table, Text, page
from tests.views.chromium import NARROW, Chromium
from tests.views.test_page import a_page


@pytest.fixture
def chromium(tmp_path: Path) -> Chromium:
    return Chromium(tmp_path)


WIDE = page(
    "A_name_without_any_blank_that_is_longer_than_a_narrow_window_is_wide",
    [
        Section("Long_words_" * 9, [Text("word" * 60), Facts({"name" * 20: "value" * 50})]),
        Section("Wide", [Table(["column"] * 30, [["cell"] * 30]), Code("line " * 200, caption="c" * 90)]),
    ],
)


@pytest.mark.parametrize("text", [a_page(), WIDE], ids=["parts", "wide"])
def test_it_fits_into_a_narrow_window(chromium: Chromium, text: str) -> None:
    assert chromium.measure(text) == {"client": NARROW, "scroll": NARROW, "wide": []}


def test_what_sticks_out_would_be_seen(chromium: Chromium) -> None:
    seen = chromium.measure('<p style="width: 900px">wide</p>')
    assert seen["scroll"] == 908
    assert seen["wide"] != []


def test_it_asks_for_nothing(chromium: Chromium) -> None:
    assert chromium.requests(a_page()) == []


def test_a_request_would_be_seen(chromium: Chromium) -> None:
    assert chromium.requests('<img src="http://127.0.0.1:1/x.png">') == ["http://127.0.0.1:1/x.png"]


def test_dark_and_light(chromium: Chromium) -> None:
    image = pytest.importorskip("PIL.Image")
    shades = {}
    for dark in (False, True):
        with image.open(chromium.picture(a_page(), width=600, height=800, dark=dark)) as picture:
            shades[dark] = np.asarray(picture.convert("L"))[20:780, 20:580]
    assert np.median(shades[False]) > 240
    assert np.median(shades[True]) < 40
    for shade in shades.values():  # there is something to read on it
        assert shade.max() - shade.min() > 180.0
