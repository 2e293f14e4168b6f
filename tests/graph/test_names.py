"""Name tables."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from ncnnparam.graph.names import LONGEST_NAME, NameTable


def test_the_first_bearer_is_found_and_the_others_move_up() -> None:
    table: NameTable[int] = NameTable()
    one, two, three = 1001, 1002, 1003
    for bearer in (one, two, three):
        table.add("a", bearer)
    assert table.first["a"] == one
    table.remove("a", two)
    assert table.first["a"] == one
    table.remove("a", one)
    assert table.first["a"] == three
    table.remove("a", three)
    assert table.first == {}
    assert table._others == {}


def test_fresh_names_are_free_and_asking_takes_nothing() -> None:
    table: NameTable[int] = NameTable()
    for name in ("a_0", "a_2"):
        table.add(name, 1)
    assert table.fresh("a", 3) == ["a_1", "a_3", "a_4"]
    assert table.fresh("a") == table.fresh("a") == ["a_1"]
    assert table.fresh("a", 0) == []
    table.add("a_1", 1)
    assert table.fresh("a") == ["a_3"]


def test_thousands_of_taken_names_are_passed_in_strides() -> None:
    class Counting(dict[str, int]):
        asked = 0

        def __contains__(self, key: object) -> bool:
            self.asked += 1
            return super().__contains__(key)

    table: NameTable[int] = NameTable()
    table.first = names = Counting({f"a_{n}": n for n in range(50_000)})
    assert table.fresh("a") == ["a_50000"]
    assert names.asked < 500


def test_a_freed_name_is_not_needed_again() -> None:
    table: NameTable[int] = NameTable()
    table.add("a_0", 1)
    assert table.fresh("a") == ["a_1"]
    table.add("a_1", 2)
    table.remove("a_1", 2)
    assert table.fresh("a")[0] not in table.first


@given(stem=st.text(max_size=300), count=st.integers(1, 30))
def test_fresh_names_fit(stem: str, count: int) -> None:
    table: NameTable[int] = NameTable()
    try:
        stem.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return
    for _ in range(3):
        names = table.fresh(stem, count)
        assert len(set(names)) == count
        for name in names:
            assert name not in table.first
            assert len(name.encode("utf-8", "surrogateescape")) <= LONGEST_NAME
            table.add(name, 1)


def test_a_short_stem_is_kept_whole() -> None:
    table: NameTable[int] = NameTable()
    assert table.fresh("x" * 63) == ["x" * 63 + "_0"]
    assert table.fresh("é" * 200)[0].startswith("é" * 100)
