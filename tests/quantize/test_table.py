"""Calibration tables: read, changed, written."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam.errors import ConfigError, FileError, NotFoundError
from ncnnparam.quantize.table import Row, Table, split_key, weight_key

TEXT = "conv_param_0 12.500000 3.000000 \nfc_param_0 1.000000 \nconv 7.250000 \nfc 8.000000 \n"
WORDS = st.text(st.characters(blacklist_categories=("Z", "C")), min_size=1, max_size=8)
SCALES = st.floats(allow_nan=False, allow_infinity=False, width=32, min_value=2.0**-120, max_value=2.0**60)


def test_a_row_by_its_key() -> None:
    table = Table.parse(TEXT)
    assert list(table) == ["conv_param_0", "fc_param_0", "conv", "fc"]
    assert table["conv_param_0"].tolist() == [12.5, 3]
    assert table["conv_param_0"].dtype == np.float32
    scales, weights = table.input_scale("conv"), table.weight_scales("conv", 0)
    assert scales is not None
    assert scales.tolist() == [7.25]
    assert weights is not None
    assert weights.tolist() == [12.5, 3]
    assert table.weight_scales("conv", 1) is None


@given(st.dictionaries(WORDS, st.lists(SCALES, min_size=1, max_size=6), max_size=6))
def test_what_was_put_in_is_read_again(rows: dict[str, list[float]]) -> None:
    table = Table()
    for key, scales in rows.items():
        table[key] = scales
    again = Table.parse(table.dumps())
    assert list(again) == list(rows)
    for key, scales in rows.items():
        assert np.allclose(again[key], np.array(scales, np.float32), rtol=1e-6, atol=5.1e-7)
    assert again.dumps() == table.dumps()


@given(st.text(st.sampled_from("ab_param01 .-+einfx\t\r\n"), max_size=60))
def test_any_text_is_kept(text: str) -> None:
    table = Table.parse(text)
    assert table.dumps() == text
    for key in table:
        assert table[key].dtype == np.float32


@given(st.text(st.sampled_from("ab \n12."), max_size=40), st.lists(SCALES, min_size=1, max_size=3))
def test_a_change_keeps_the_other_lines(text: str, scales: list[float]) -> None:
    table = Table.parse(text)
    others = [line for line in text.splitlines() if line.split()[:1] != ["a"]]
    table["a"] = scales
    assert [line for line in table.dumps().splitlines() if line.split()[:1] != ["a"]] == others


def test_numbers_as_the_tools_write_them() -> None:
    row = Row.make("x", [1, 0.1, 1e-9, math.inf, 52.3007126])
    assert row.text == "x 1.000000 0.100000 1.000000e-09 inf 52.300713 \n"


@pytest.mark.parametrize("key", ["", "two words", "line\nend"])
def test_a_key_is_a_word(key: str) -> None:
    table = Table.parse(TEXT)
    with pytest.raises(ConfigError, match="one word"):
        table[key] = [1]
    assert table.dumps() == TEXT


def test_a_row_has_scales() -> None:
    with pytest.raises(ConfigError, match="no scales"):
        Row.make("x", [])


@pytest.mark.parametrize("word", ["0x1p6", "12abc", "1_000", "٣", "--1", "."])
def test_what_is_no_number_is_told_and_counts_as_none(word: str) -> None:
    row = Row(f"x 1 {word} 2\n")
    assert np.isnan(row.scales).tolist() == [False, True, False]
    assert [found.group() for found in row.odd_words] == [word]
    assert row.word(2).span() == (4, 4 + len(word))


@pytest.mark.parametrize("word", ["1", "+1.5", ".5", "5.", "1e-3", "INF", "-nan", "infinity"])
def test_decimal_numbers(word: str) -> None:
    assert [*Row(f"x {word}").odd_words] == []


def test_of_two_rows_the_later_one_counts() -> None:
    table = Table.parse("x 1\nx 2\n")
    assert table["x"].tolist() == [2]
    table["x"] = [3]
    assert table.dumps() == "x 1\nx 3.000000 \n"
    table.tidy()
    assert table.dumps() == "x 3.000000 \n"


def test_removing_a_row_removes_all_of_its_key() -> None:
    table = Table.parse("x 1\ny 1\nx 2\n")
    del table["x"]
    assert table.dumps() == "y 1\n"
    with pytest.raises(NotFoundError, match="no row 'x'"):
        del table["x"]


def test_new_rows_take_the_line_ends_of_the_file() -> None:
    table = Table.parse("x 1\r\ny 2")
    table["z"] = [3]
    assert table.dumps() == "x 1\r\ny 2\r\nz 3.000000 \r\n"


def test_merged_rows_keep_their_spelling() -> None:
    table = Table.parse("x 1\ny 2\n")
    table.merge(Table.parse("y  2.50\r\n\r\nz 1e3"))
    assert table.dumps() == "x 1\ny  2.50\nz 1e3\n"


def test_a_layer_is_renamed_with_all_its_rows() -> None:
    table = Table.parse("a_param_0 1\na_param_1 2\nab 3\na 4\n")
    table.rename_layer("a", "new")
    assert table.dumps() == "new_param_0 1\nnew_param_1 2\nab 3\nnew 4\n"
    assert list(table) == ["new_param_0", "new_param_1", "ab", "new"]
    with pytest.raises(ConfigError, match="row 'ab' already"):
        table.rename_layer("new", "ab")
    with pytest.raises(NotFoundError, match="no row of a layer 'a'"):
        table.rename_layer("a", "b")


def test_keys() -> None:
    assert weight_key("a_param_0", 1) == "a_param_0_param_1"
    assert split_key("a_param_0_param_1") == ("a_param_0", 1)
    assert split_key("a_param_x") == ("a_param_x", None)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "m.table"
    path.write_text(TEXT)
    table = Table.read(path)
    assert table.name == str(path)
    del table["fc"]
    table.save(path, backup=True)
    assert path.read_text() == TEXT.replace("fc 8.000000 \n", "")
    assert (tmp_path / "m.table.bak").read_text() == TEXT
    with pytest.raises(FileError, match="No such file"):
        Table.read(tmp_path / "none.table")
    with pytest.raises(FileError, match="more than 5"):
        Table.read(path, max_size=5)
