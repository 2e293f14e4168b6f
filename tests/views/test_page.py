"""Pages: a golden one, and what must hold of each: text is text, and nothing comes from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam.views.charts import horizontal_bars
from ncnnparam.views.page import (
    Chart,
    Code,
    Details,
    Facts,
    Grid,
    Mark,
    Part,
    Section,
    Table,
    Text,
    page,
)

GOLDEN = Path(__file__).with_name("page.html")
EVERY_PART: list[Part] = [
    Text("All is well.", tone="good"),
    Text(["one ", Mark("two", "bad"), " three"]),
    Facts({"model": "encoder", "layers": 189, "seconds": 1.5, "note": None}),
    Table(
        ["layer", "type", "SQNR"],
        [["linear_1", "InnerProduct", 31.5], ["conv<1>", None, Mark("low", "bad")]],
        right=["SQNR"],
        caption="Worst layers",
    ),
    Code("ncnnparam check a.param && echo 'ok'\n", caption="To run it"),
    Code("--- a\n+++ b\n@@ changed @@\n-old\n+new\n same\n", diff=True),
    Grid([Chart(horizontal_bars("Bars", ["a"], [1]), caption="left"), Text("right")]),
    Details("More", [Text("hidden at first", tone="quiet")]),
]


def body(text: str) -> str:
    return text[text.index("<body>") :]


def a_page() -> str:
    return page("A & B", [Section("First <one>", EVERY_PART), Section("Second")], subtitle="of two models")


def test_golden() -> None:
    assert body(a_page()) == GOLDEN.read_text(encoding="utf-8")


KNOWN_TAGS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "link",
        "style",
        "body",
        "header",
        "main",
        "section",
        "h1",
        "h2",
        "p",
        "span",
    ),
    *(
        "dl",
        "div",
        "dt",
        "dd",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "figure",
        "figcaption",
    ),
    *("pre", "code", "details", "summary", "svg", "desc", "line", "text", "rect"),
}


class Reader(HTMLParser):
    """Checks that elements nest, and gathers the text and what might load something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name in ("src", "href", "srcset", "action", "data"):
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open
    return reader


def test_it_stands_alone() -> None:
    text = page("t", [Section(str(number), EVERY_PART) for number in range(5)])
    reader = read(text)
    assert reader.tags.isdisjoint({"script", "iframe", "img", "object", "embed"})
    assert [link for link in reader.links if not link.startswith(("#", "data:"))] == []
    assert re.findall(r"url\(|@import", text) == []
    assert "default-src 'none'" in text


def test_sections_can_be_reached() -> None:
    reader = read(page("t", [Section(str(number)) for number in range(5)]))
    assert len(set(reader.ids)) == len(reader.ids)
    assert {link.removeprefix("#") for link in reader.links if link.startswith("#")} <= set(reader.ids)


anything = st.text(max_size=30) | st.sampled_from(
    ["</style><script>", "\x00", "\ud800", '"><b onx="', "&amp;"]
)


@given(anything)
def test_text_is_text(text: str) -> None:
    parts: list[Part] = [
        Text(text),
        Text([Mark(text, "bad")]),
        Facts({text: text}),
        Table([text], [[text], [Mark(text)]], right=[text], caption=text),
        Code(text, caption=text),
        Code(text, diff=True),
        Details(text, [Text(text)]),
        Grid([Chart(horizontal_bars(text, [text], [1]), caption=text)]),
    ]
    made = page(text, [Section(text, parts)], subtitle=text)
    made.encode("utf-8")
    reader = read(made)
    assert reader.tags <= KNOWN_TAGS
    assert reader.ids == ["section-1", "heading-1"]


def test_numbers_stand_right() -> None:
    table = Table(["name", "size"], [["a", 1]], right=["size"])
    text = page("t", [Section("s", [table])])
    assert '<th scope="col" class="right">size</th>' in text
    assert '<td class="right">1</td>' in text


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="1 cells for 2 columns"):
        page("t", [Section("s", [Table(["a", "b"], [["x"]])])])


if __name__ == "__main__":
    GOLDEN.write_text(body(a_page()), encoding="utf-8")
