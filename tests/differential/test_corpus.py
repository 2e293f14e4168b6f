"""The real files of ../shared/corpus: round trip of all, and our verdicts beside those in its index."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import ncnnparam as nnp
from ncnnparam.errors import ParseError
from ncnnparam.graph import graph_from_syntax
from ncnnparam.syntax import Dialect, parse, unparse

from ..oracle.compare import compare
from ..oracle.oracle import Oracle
from ..oracle.ours import decode, opinion
from ..oracle.sources import CORPUS, NO_PARAM, corpus


def _index() -> dict[str, dict[str, str]]:
    file = CORPUS / "index.tsv"
    if not file.exists():
        return {}
    with file.open(encoding="utf-8", newline="") as rows:
        return {row["param"]: row for row in csv.DictReader(rows, delimiter="\t")}


INDEX = _index()
FILES = sorted(INDEX)
ICEFALL = ("conv_emformer_encoder", "conv_emformer_encoder_raw", "lstm_encoder_raw", "zipformer_encoder_raw")


@pytest.mark.parametrize("name", [name for name in FILES if name != NO_PARAM])
@pytest.mark.parametrize("dialect", Dialect)
def test_round_trip(name: str, dialect: Dialect) -> None:
    text = decode((CORPUS / name).read_bytes())
    if dialect is Dialect.STRICT and INDEX[name]["stderr"].startswith("ParamDict"):
        with pytest.raises(ParseError):
            parse(text, dialect=dialect)
        return
    tree = parse(text, dialect=dialect)
    assert unparse(tree) == text
    assert nnp.dumps(nnp.loads(text)) == text
    assert (str(tree.header.layer_count), str(tree.header.blob_count)) == (
        INDEX[name]["layers"],
        INDEX[name]["blobs"],
    )


@pytest.mark.parametrize("name", FILES)
def test_verdict_of_20261020(name: str) -> None:
    """Exceptions: ncnn refuses types that it lacks; to us they may be custom layers of a program."""
    row = INDEX[name]
    ours = opinion((CORPUS / name).read_bytes())
    if row["unknown_types"] != "-":
        assert row["loads_20261020"] == "-1"
        assert ours.refused is None
        assert ours.tree
        assert set(row["unknown_types"].split(",")) <= {layer.type for layer in ours.tree.layers}
    else:
        assert (ours.refused is None) == (row["loads_20261020"] == "0")


@pytest.mark.parametrize("name", FILES)
def test_verdict_of_20260526(name: str) -> None:
    """What the older release loads, the default dialect reads."""
    row = INDEX[name]
    if row["loads_20260526"] == "0":
        tree = parse(decode((CORPUS / name).read_bytes()))
        odd = {diagnostic.code for diagnostic in tree.diagnostics}
        assert odd == ({"junk-number"} if row["stderr"].startswith("ParamDict") else set())


def test_a_number_is_no_param_file(shared: Path) -> None:
    with pytest.raises(ParseError, match="magic number"):
        nnp.load(CORPUS / NO_PARAM)


@pytest.mark.parametrize("stem", ICEFALL)
def test_icefall_encoders(stem: str, shared: Path, oracle: Oracle) -> None:
    text = (CORPUS / "icefall" / f"{stem}.param").read_bytes()
    assert unparse(parse(decode(text))) == decode(text)
    assert compare(text, oracle).fault is None


@pytest.mark.parametrize("stem", ["conv_emformer_encoder_raw", "lstm_encoder_raw", "zipformer_encoder_raw"])
def test_pnnx_text_is_named_for_what_it_is(stem: str, shared: Path) -> None:
    with pytest.raises(ParseError, match=r"pnnx"):
        nnp.load(CORPUS / "icefall" / f"{stem}.pnnx.param")


def test_graphs_keep_every_byte(shared: Path) -> None:
    for name, text in corpus().items():
        tree = parse(decode(text), name=name)
        assert nnp.dumps(graph_from_syntax(tree)) == decode(text), name


def test_whole_corpus_against_ncnn(shared: Path, oracle: Oracle) -> None:
    """Blob by blob and value by value."""
    faults = {name: fault for name, text in corpus().items() if (fault := compare(text, oracle).fault)}
    assert not faults
