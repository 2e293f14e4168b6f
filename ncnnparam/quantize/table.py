"""Calibration tables: the text file that says by which scales a model is quantised.

A line is a row: a key and its scales. The key ``conv1_param_0`` stands for the scales of the layer's first
array of weights, the key ``conv1`` for the scale of its input. Of two rows with one key the last one counts.

A table keeps the text of its rows, so what is not changed is written as it was read. Reading never fails on
what a row says: ``table_rules`` reports that.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from ncnnparam.errors import ConfigError, FileError, NotFoundError, did_you_mean
from ncnnparam.syntax import MAX_SIZE, Source, read_text, source_name, write_atomic, write_stdout

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

PARAM = "_param_"
"""Stands between the name of a layer and the number of an array of weights."""
_WORD = re.compile(r"\S+")
_NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf(inity)?|nan)", re.IGNORECASE | re.ASCII)


@dataclass(eq=False)
class Row:
    """A line of a table.

    Attributes:
        text: The line with its end.
        line: Its number in the file, from 1; 0 for a row made in memory.
    """

    text: str
    line: int = 0

    @classmethod
    def make(cls, key: str, scales: ArrayLike, newline: str = "\n") -> Row:
        """A row as the C++ tools write it: six decimals, and a blank before the end of the line.

        What would come out as 0 and is not gets an exponent.

        Raises:
            ConfigError: The key is no word, or there are no scales.
        """
        if not _WORD.fullmatch(key):
            raise ConfigError(f"'{key}' cannot be the key of a row: a key is one word")
        numbers = np.atleast_1d(np.asarray(scales, np.float32))
        if not numbers.size:
            raise ConfigError(f"the row '{key}' would have no scales")
        return cls(f"{key} {' '.join(_spell(float(number)) for number in numbers.reshape(-1))} {newline}")

    @property
    def words(self) -> list[str]:
        """The key and the numbers, as they are spelled."""
        return self.text.split()

    @cached_property
    def key(self) -> str:
        """The first word; empty for a blank line."""
        match = _WORD.search(self.text)
        return match.group() if match else ""

    @cached_property
    def scales(self) -> NDArray[np.float32]:
        """The numbers; a word that is none gives NaN."""
        words = self.words[1:]
        try:
            if not self.text.isascii() or "_" in "".join(words):  # float() takes 1_000 and foreign digits
                raise ValueError
            numbers = [float(word) for word in words]
        except ValueError:
            numbers = [float(word) if _NUMBER.fullmatch(word) else math.nan for word in words]
        with np.errstate(over="ignore"):
            return np.array(numbers, np.float64).astype(np.float32)

    def word(self, number: int) -> re.Match[str]:
        """Where a word stands: the key is number 0, the scales follow."""
        return next(islice(_WORD.finditer(self.text), number, None))

    @property
    def odd_words(self) -> Iterator[re.Match[str]]:
        """The words behind the key that are no decimal numbers."""
        if not np.isnan(self.scales).any():
            return iter(())
        words = _WORD.finditer(self.text)
        next(words, None)
        return (word for word in words if not _NUMBER.fullmatch(word.group()))


class Table(MutableMapping[str, "NDArray[np.float32]"]):
    """The rows of a calibration table by key; the rows of two tables may be merged with ``update``.

    Attributes:
        rows: All lines in the order of the file, blank ones and those that count no more among them.
        name: The file it was read from, or None.
    """

    def __init__(self, rows: Iterable[Row] = (), *, name: str | None = None) -> None:
        self.rows = list(rows)
        self.name = name
        self._last = {row.key: row for row in self.rows if row.key}

    @classmethod
    def parse(cls, text: str, *, name: str | None = None) -> Table:
        """A table from its text, whatever that says.

        Args:
            text: The whole file.
            name: File name for messages.
        """
        lines = re.findall(r"[^\n]*\n|[^\n]+", text)
        return cls((Row(line, number) for number, line in enumerate(lines, 1)), name=name)

    @classmethod
    def read(cls, source: Source, *, max_size: int = MAX_SIZE) -> Table:
        """A table from a path, from standard input (``"-"``) or from an open stream.

        Raises:
            FileError: It cannot be read, is larger than ``max_size`` bytes, or is no text.
        """
        text, name = read_text(source, max_size=max_size), source_name(source)
        if "\0" in text:
            raise FileError(
                f"{name or 'the source'} is no table, which is a text of rows: it is a binary file"
            )
        return cls.parse(text, name=name)

    def dumps(self) -> str:
        """The text of the table."""
        return "".join(row.text for row in self.rows)

    def save(self, path: str | os.PathLike[str], *, backup: bool = False) -> None:
        """Writes the table, so that the file is the old one or the new one and never half.

        Args:
            path: The file, or ``"-"`` for standard output.
            backup: Keep the old file with ``.bak`` added to its name.

        Raises:
            FileError: It cannot be written.
        """
        if path == "-":
            write_stdout(self.dumps())
        else:
            write_atomic(path, self.dumps(), backup=backup)

    def row(self, key: str) -> Row | None:
        """The row that counts for a key, or None."""
        return self._last.get(key)

    def input_scale(self, layer: str) -> NDArray[np.float32] | None:
        """What the row of a layer's input says: one number in a sound table; None if there is no row."""
        return self.get(layer)

    def weight_scales(self, layer: str, number: int) -> NDArray[np.float32] | None:
        """The scales of one of a layer's arrays of weights, counted from 0; None if there is no row."""
        return self.get(weight_key(layer, number))

    def merge(self, other: Table) -> None:
        """Takes the rows of another table over as they are spelled; they outdo those of the same keys."""
        for key in other:
            row = other.row(key)
            assert row is not None
            self._put(Row(row.text.rstrip("\r\n") + self._newline))

    def rename_layer(self, layer: str, name: str) -> None:
        """Gives the rows of a layer another name.

        Raises:
            NotFoundError: The layer has no rows.
            ConfigError: The new name is no word, or it has rows already.
        """
        keys = [key for key in self if layer in (key, split_key(key)[0])]
        if not keys:
            raise NotFoundError(f"the table has no row of a layer '{layer}'", hint=did_you_mean(layer, self))
        new = [name + key[len(layer) :] for key in keys]
        taken = [key for key in new if key in self]
        if taken or not _WORD.fullmatch(name):
            what = f"the table has a row '{taken[0]}' already" if taken else f"'{name}' is no word"
            raise ConfigError(f"the rows of '{layer}' cannot be renamed: {what}")
        renamed = dict(zip(keys, new, strict=True))
        self.rows = [
            Row(row.text.replace(row.key, renamed[row.key], 1), row.line) if row.key in renamed else row
            for row in self.rows
        ]
        self._last = {row.key: row for row in self.rows if row.key}

    def tidy(self) -> None:
        """Drops blank lines, and rows that a later one of the same key outdoes."""
        self.rows = [row for row in self.rows if self._last.get(row.key) is row]

    def __getitem__(self, key: str) -> NDArray[np.float32]:
        """The scales of the row that counts.

        Raises:
            NotFoundError: There is none.
        """
        row = self._last.get(key)
        if row is None:
            raise NotFoundError(f"the table has no row '{key}'", hint=did_you_mean(key, self))
        return row.scales

    def __setitem__(self, key: str, scales: ArrayLike) -> None:
        """Changes the row that counts, or adds one at the end.

        Raises:
            ConfigError: The key is no word, or there are no scales.
        """
        self._put(Row.make(key, scales, self._newline))

    def __delitem__(self, key: str) -> None:
        """Removes all rows of a key.

        Raises:
            NotFoundError: There is none.
        """
        self[key]
        del self._last[key]
        self.rows = [row for row in self.rows if row.key != key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._last)

    def __len__(self) -> int:
        return len(self._last)

    def __repr__(self) -> str:
        return f"<Table {self.name or 'in memory'}: {len(self)} rows>"

    def _put(self, new: Row) -> None:
        """Puts a row in the place of the one that counts for its key, or at the end."""
        old = self._last.get(new.key)
        if old is not None:
            new.line = old.line
            self.rows[self.rows.index(old)] = new
        else:
            if self.rows and not self.rows[-1].text.endswith("\n"):
                self.rows[-1].text += self._newline
            self.rows.append(new)
        self._last[new.key] = new

    @property
    def _newline(self) -> str:
        return "\r\n" if self.rows and self.rows[0].text.endswith("\r\n") else "\n"


def weight_key(layer: str, number: int) -> str:
    """The key of the row with the scales of a layer's array of weights, counted from 0."""
    return f"{layer}{PARAM}{number}"


def split_key(key: str) -> tuple[str, int | None]:
    """The layer that a key means, and which of its arrays of weights; None for its input.

    A layer may itself have a name like ``x_param_0``: who knows the layers tries the whole key first.
    """
    layer, found, number = key.rpartition(PARAM)
    return (layer, int(number)) if found and number.isascii() and number.isdecimal() else (key, None)


def _spell(number: float) -> str:
    text = f"{number:.6f}"
    return f"{number:.6e}" if number and not float(text) else text
