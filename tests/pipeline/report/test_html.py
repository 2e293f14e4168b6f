"""``report.html``: golden file; what it says first; in the real Chromium."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ncnnparam.pipeline.report import ErrorRate, Histogram, Proof, Report, Utterance, write_report
from ncnnparam.pipeline.report.form import from_json
from ncnnparam.pipeline.report.html import to_html
from ncnnparam.pipeline.report.html_speech import compared
from ncnnparam.views.page import Mark
from tests.pipeline.report.example import GOLDEN, example
from tests.views.chromium import NARROW, Chromium
from tests.views.test_page import body, read

pytest.importorskip("jinja2")


def test_golden() -> None:
    assert body(to_html(example())) == (GOLDEN / "report.html").read_text(encoding="utf-8")


def test_a_report_without_anything() -> None:
    reader = read(to_html(Report("m")))
    assert "section" not in reader.tags


@pytest.mark.parametrize(
    "field", [name for name in Report.__dataclass_fields__ if name not in ("model", "version")]
)
def test_each_field_may_be_missing(field: str) -> None:
    empty = getattr(Report("m"), field)
    assert getattr(example(), field) != empty
    read(to_html(replace(example(), **{field: empty})))


def test_the_verdict() -> None:
    heard = {"torch": "YES", "int8": "YES"}
    report = Report("m", utterances=(Utterance("a.wav", 1.0, heard), Utterance("b.wav", 1.0, heard)))
    assert "In all 2 wavs torch and int8 hear the same." in to_html(report)
    other = replace(
        report, utterances=(*report.utterances, Utterance("c.wav", 1, {"torch": "A", "int8": "B"}))
    )
    assert "In 1 of 3 wavs torch and int8 do not hear the same." in to_html(other)


def test_the_worst_number_of_a_proof_is_told() -> None:
    proofs = tuple(Proof("encoder", "fp32", f"chunk {n}", 9, n * 1e-6, 1e-4) for n in range(3))
    assert "All 3 runs of mended nets give the numbers of PyTorch, to 2.0e-06 in fp32." in to_html(
        Report("m", proofs=proofs)
    )
    failed = (*proofs, Proof("encoder", "fp32", "chunk 3", 9, None, 1e-4))
    text = to_html(Report("m", proofs=failed))
    assert "1 of 4 runs of mended nets do not give the numbers of PyTorch." in text
    assert "<details open>" in text


def test_no_words_and_no_audio_have_no_rate() -> None:
    assert "torch –" in to_html(Report("m", word_errors=(ErrorRate("torch", 1, 0),)))


def test_many_histograms_hide_behind_the_first() -> None:
    histograms = tuple(Histogram("encoder", f"layer_{n}", 1.0, (3.0, 1.0), {"kl": 0.5}) for n in range(9))
    text = to_html(Report("m", histograms=histograms))
    shown, hidden = text.split("<summary>Histograms of 3 more layers</summary>")
    assert shown.count("<svg ") == 6
    assert hidden.count("<svg ") == 3


@pytest.mark.parametrize(
    ("right", "text", "pieces"),
    [
        ("turn left", "TURN LEFT", ["TURN LEFT"]),
        ("go on now", "GO UP NOW", ["GO", " ", Mark("UP", "bad"), " ", "NOW"]),
        ("go on now", "GO NOW", ["GO", " ", Mark("on", "gone"), " ", "NOW"]),
        ("go", "GO ON", ["GO", " ", Mark("ON", "bad")]),
        ("go", "", [Mark("go", "gone")]),
        ("", "", []),
    ],
)
def test_wrong_words_are_marked(right: str, text: str, pieces: list[str | Mark]) -> None:
    assert compared(right, text) == pieces


def test_both_files_are_written(tmp_path: Path) -> None:
    data, html = write_report(example(), tmp_path)
    assert from_json(data.read_text(encoding="utf-8")) == example()
    assert html.read_text(encoding="utf-8") == to_html(example())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_in_a_browser(tmp_path: Path) -> None:
    chromium = Chromium(tmp_path)
    text = to_html(example())
    assert chromium.measure(text) == {"client": NARROW, "scroll": NARROW, "wide": []}
    assert chromium.requests(text) == []
