"""Made-up ``.param`` texts together with what they say."""

from __future__ import annotations

from dataclasses import dataclass, field

import hypothesis.strategies as st

BLANKS = " \t\v\f"
# blanks for Python, but parts of a word for ncnn; and bytes that are no UTF-8
ODD = "\x1c\x1d\x1e\x1f\x85\xa0\u2028\u3000\udcff\udc80"

words = st.text(alphabet="ab0_.:/=\\@é-+1" + ODD, min_size=1, max_size=8)
# a type that begins like a param would go on with the params above it; some characters are taken out later
types = words.filter(lambda word: not word.lstrip("é" + ODD).startswith(tuple("+-0123456789")))
gaps = st.text(alphabet=BLANKS, min_size=1, max_size=3) | st.just(" ")
ends = st.sampled_from(["\n", "\r\n", "\r"])
params = st.one_of(
    st.builds("{}={}".format, st.integers(0, 31), st.integers(-(2**31), 2**31 - 1)),
    st.builds("{}={}".format, st.integers(0, 31), st.sampled_from(["1.5", "1.0e-05", ".5", "5.", "-1e10"])),
    st.builds(
        "{}={}".format, st.integers(0, 31), st.sampled_from(["nan", "abc", "a=b", 'x"y', '"a b"', '""'])
    ),
    st.builds(
        lambda id, items: f"{-23300 - id}={','.join(map(str, [len(items), *items]))}",
        st.integers(0, 31),
        st.lists(st.integers(-9, 9), max_size=3),
    ),
    st.builds("{}={}".format, st.integers(0, 31), st.sampled_from(["1,", "1,2", "1.5,2.5,", "0.5,1.e3"])),
)


@dataclass
class Record:
    """A record that was put into a text."""

    type: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    params: tuple[str, ...]


@dataclass
class Made:
    """A text and what was put into it."""

    text: str = ""
    counts: tuple[int, int] = (0, 0)
    records: list[Record] = field(default_factory=list)


@st.composite
def made_files(draw: st.DrawFn, *, ascii_only: bool = False) -> Made:
    """Files with odd layouts: mixed line ends, blank lines, heads over several lines, no end of line."""

    def word(kind: st.SearchStrategy[str]) -> str:
        found = draw(kind)
        return (
            "".join(char for char in found if char < "\x1c" or " " < char < "\x7f") or "w"
            if ascii_only
            else found
        )

    def gap() -> str:
        """Between two words of a head: blanks, rarely a line end."""
        blanks = draw(gaps)
        return (
            blanks + draw(ends) + draw(st.sampled_from(["", " "]))
            if draw(st.integers(0, 19)) == 7
            else blanks
        )

    made = Made()
    for _ in range(draw(st.integers(0, 5))):
        ins, outs, own = (draw(st.lists(kind, max_size=3)) for kind in (words, words, params))
        if ascii_only:
            ins, outs = ([word(st.just(blob)) for blob in blobs] for blobs in (ins, outs))
        made.records.append(Record(word(types), word(words), tuple(ins), tuple(outs), tuple(own)))
    made.counts = (len(made.records), draw(st.integers(0, 999)))
    made.text = draw(st.sampled_from(["", " ", "\n"])) + gap().join(["7767517", *map(str, made.counts)])
    made.text += draw(ends) if draw(st.integers(0, 4)) else " "
    for record in made.records:
        made.text += draw(st.sampled_from(["", "", "", "  ", "\n", " \r\n\t"]))
        head = [record.type, record.name, str(len(record.inputs)), str(len(record.outputs))]
        for index, one in enumerate([*head, *record.inputs, *record.outputs]):
            made.text += (gap() if index else "") + one
        made.text += "".join(draw(gaps) + param for param in record.params)
        made.text += draw(st.sampled_from(["", "", " ", "\t "])) + draw(ends)
    if draw(st.booleans()):
        made.text = made.text.rstrip("\r\n")
    if ascii_only:
        made.text = made.text.replace("\v", " ").replace("\f", " ")
    return made
