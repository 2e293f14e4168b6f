"""Tree to graph and back: an edit changes the lines it must and no other."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings

import ncnnparam as nnp
from ncnnparam.errors import ParseError
from ncnnparam.graph import Graph, canonical_text, format_line, graph_from_syntax, graph_to_syntax
from ncnnparam.syntax import parse
from tests.graph.short import graph_of
from tests.syntax.files import Made, made_files

TEXT = """\
  7767517
 9\t \v7\x20\x20
Input   in0  0 1 in0

  \t
ReLU  relu 1 1 in0 a  0=1.0e-01  1=+7
Split
s 1 2
a a0 a1
InnerProduct fc 1 1 a0 b 0=10 1=1 2=0640 -23330=4,1,10,0,0\t
Reshape re 1 1 b c 6="1w, 1h" 0=1
 1=2
Concat cat 2 1 c a1 out 0=0
Noop n1 0 0
Noop n2 0 0
Noop n3 0 0   """

Edit = Callable[[Graph], object]


def changed(before: str, after: str) -> list[str]:
    """The lines that differ, as ``-`` and ``+`` lines."""
    old, new = (re.findall(r".*\n|.+", text) for text in (before, after))
    lines = difflib.ndiff(old, new)
    return [line for line in lines if line[0] in "-+"]


def edited(edit: Edit, text: str = TEXT) -> str:
    graph = nnp.loads(text).graph
    edit(graph)
    return nnp.dumps(graph)


def new(line: str) -> str:
    """A line as the writer prints it."""
    type, name, *rest = line.split(" ")
    return f"{type:<24} {name:<24} {' '.join(rest)}"


COUNTS = "-  9\t \v7  \n"


@pytest.mark.parametrize(
    ("edit", "lines"),
    [
        (lambda g: None, []),
        (lambda g: g.layer("relu").params.update({0: 0.1, 1: 7}), []),
        (
            lambda g: g.layer("fc").params.update({0: 20}),
            [
                "- InnerProduct fc 1 1 a0 b 0=10 1=1 2=0640 -23330=4,1,10,0,0\t\n",
                f"+ {new('InnerProduct fc 1 1 a0 b 0=20 1=1 2=0640 -23330=4,1,10,0,0')}\n",
            ],
        ),
        (
            lambda g: g.rename_blob("c", "d"),
            [
                '- Reshape re 1 1 b c 6="1w, 1h" 0=1\n',
                "-  1=2\n",
                "- Concat cat 2 1 c a1 out 0=0\n",
                f'+ {new("Reshape re 1 1 b d 6=")}"1w, 1h" 0=1 1=2\n',
                f"+ {new('Concat cat 2 1 d a1 out 0=0')}\n",
            ],
        ),
        (
            lambda g: g.rename_layer("relu", "act"),
            ["- ReLU  relu 1 1 in0 a  0=1.0e-01  1=+7\n", f"+ {new('ReLU act 1 1 in0 a 0=1.0e-01 1=+7')}\n"],
        ),
        (lambda g: g.remove(g.layer("n1")), [COUNTS, "+  8\t \v7  \n", "- Noop n1 0 0\n"]),
        (lambda g: g.move(g.layer("n2"), before=g.layer("n1")), ["- Noop n2 0 0\n", "+ Noop n2 0 0\n"]),
        (
            lambda g: g.add("SherpaMetaData", "meta", outputs=0, params={0: 1}, before=g.layer("in0")),
            [COUNTS, "+  10\t \v7  \n", f"+ {new('SherpaMetaData meta 0 0 0=1')}\n"],
        ),
        (
            lambda g: g.add("Noop", "n4", outputs=0),
            [
                COUNTS,
                "+  10\t \v7  \n",
                "- Noop n3 0 0   ",
                "+ Noop n3 0 0   \n",
                f"+ {new('Noop n4 0 0')}\n",
            ],
        ),
        (
            lambda g: g.insert_after(g.layer("cat"), "ReLU", "last"),
            [
                COUNTS,
                "+  10\t \v8  \n",
                "- Concat cat 2 1 c a1 out 0=0\n",
                f"+ {new('Concat cat 2 1 c a1 out_0 0=0')}\n",
                f"+ {new('ReLU last 1 1 out_0 out')}\n",
            ],
        ),
        (
            lambda g: g.add("ReLU", "third", inputs="a", before=g.layer("n1")),
            [
                COUNTS,
                "+  10\t \v9  \n",
                "- Split\n",
                "- s 1 2\n",
                "- a a0 a1\n",
                f"+ {new('Split s 1 3 a a0 a1 a_splitncnn_0')}\n",
                f"+ {new('ReLU third 1 1 a_splitncnn_0 third')}\n",
            ],
        ),
    ],
)
def test_only_the_lines_that_must_change_do(edit: Edit, lines: list[str]) -> None:
    assert sorted(changed(TEXT, edited(edit))) == sorted(lines)
    crlf = edited(edit, TEXT.replace("\n", "\r\n"))
    assert crlf == edited(edit).replace("\n", "\r\n")


def test_undoing_an_edit_gives_the_old_text() -> None:
    graph = nnp.loads(TEXT).graph
    fc = graph.layer("fc")
    fc["num_output"] = 20
    relu = graph.insert_after(fc, "ReLU")
    assert nnp.dumps(graph) != TEXT
    graph.remove(relu)
    fc["num_output"] = 10
    assert nnp.dumps(graph) == TEXT


def test_wrong_counts_are_corrected_with_the_first_change_only() -> None:
    text = "7767517\n99 99\nInput in0 0 1 in0\n"
    assert edited(lambda g: None, text) == text
    assert edited(lambda g: g.rename_layer("in0", "x"), text).splitlines()[1] == "1 1"


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (lambda g: None, "7767517 2 2 Input a 0 1 a\nNoop n 0 0"),
        (lambda g: g.rename_layer("n", "m"), f"7767517 2 1 Input a 0 1 a\n{new('Noop m 0 0')}\n"),
        (lambda g: g.remove(g.layer("a")), "7767517 1 0\nNoop n 0 0"),
        (lambda g: g.rename_layer("a", "b"), f"7767517 2 1\n{new('Input b 0 1 a')}\nNoop n 0 0"),
    ],
)
def test_a_header_that_shares_its_line(edit: Edit, text: str) -> None:
    assert edited(edit, "7767517 2 2 Input a 0 1 a\nNoop n 0 0") == text


def test_what_trails_stays() -> None:
    text = "7767517\n1 1\nInput a 0 1 a\n\n\nnot a layer\n"
    assert edited(lambda g: g.rename_layer("a", "b"), text).endswith(" 0 1 a\n\n\nnot a layer\n")


def test_odd_blanks_that_begin_a_type_stay_in_it() -> None:
    text = "7767517\n1 1\n\n\x1cT\xa0 n 0 1 x\n"
    after = edited(lambda g: g.layer("n").params.update({0: 1}), text)
    assert nnp.loads(after).graph.layer("n").type == "\x1cT\xa0"
    assert after.startswith("7767517\n1 1\n\n\x1cT")


def test_canonical_form() -> None:
    graph = graph_of("Input in 0 1 in / InnerProduct a_name_of_more_than_24_characters 1 1 in out 0=10 1=1")
    assert canonical_text(graph) == (
        "7767517\n2 2\n"
        "Input                    in                       0 1 in\n"
        "InnerProduct             a_name_of_more_than_24_characters 1 1 in out 0=10 1=1\n"
    )
    assert (
        format_line(graph.layer("in"), "\r\n")
        == "Input                    in                       0 1 in\r\n"
    )


def test_the_line_of_sherpa_ncnn() -> None:
    graph = Graph()
    params = {0: 1, 1: 12, 2: 32, 3: 31, 4: 8, 5: 32, 6: 8, 7: 512}
    graph.add("SherpaMetaData", "sherpa_meta_data1", outputs=0, params=params)
    assert nnp.dumps(graph) == (
        "7767517\n1 0\n"
        "SherpaMetaData           sherpa_meta_data1        0 0 0=1 1=12 2=32 3=31 4=8 5=32 6=8 7=512\n"
    )


def test_an_unchanged_tree_comes_back_itself() -> None:
    tree = parse(TEXT)
    assert graph_to_syntax(graph_from_syntax(tree)) is tree


@given(made=made_files())
@settings(deadline=None, max_examples=150)
def test_every_text_comes_back_through_the_graph(made: Made) -> None:
    graph = graph_from_syntax(parse(made.text))
    assert nnp.dumps(graph) == made.text
    assert nnp.dumps(graph.copy()) == made.text
    assert nnp.loads(canonical_text(graph)).graph == graph


def test_real_files_through_the_graph(shared: Path) -> None:
    read = 0
    for path in sorted((shared / "corpus").rglob("*.param")):
        data = path.read_bytes()
        text = data.decode("utf-8", "surrogateescape")
        try:
            graph = nnp.loads(text).graph
        except ParseError:
            continue
        assert nnp.dumps(graph) == text, path
        graph.add("Noop", "one_more", outputs=0)
        before, after = set(text.splitlines()), set(nnp.dumps(graph).splitlines())
        assert len(after - before) <= 2, path
        assert len(before - after) <= 1, path
        read += 1
    assert read > 100
