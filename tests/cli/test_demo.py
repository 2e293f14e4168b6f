"""``ncnnparam demo``: the whole way, in the real torch, pnnx and sherpa-ncnn."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import pytest

from ncnnparam.cli.recogniser import GOOD, _folder, _kept, as_data, is_good, print_report
from ncnnparam.pipeline import demo
from ncnnparam.pipeline.report import ErrorRate, Report, write_report
from tests.cli.conftest import Run
from tests.pipeline.report.example import example

PRINTED = """\
demo <conv-emformer>

wav    by                 text
a.wav  said               turn left
       torch, fp32, int8  TURN LEFT
b.wav  said               go on now
       torch, fp32        GO ON NOW
       int8               GO UP

       word error rate  errors  words  encoder   joiner
torch           0.00 %       0      5  3.12 MB  41.0 KB
fp32            0.00 %       0      5  3.08 MB  38.0 KB
fp16                                   1.54 MB  19.1 KB
int8           40.00 %       2      5   880 KB  10.4 KB

the report is out/report.html
"""


def test_what_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    print_report(example(), Path("out/report.html"))
    assert capfd.readouterr().out == PRINTED


def test_what_programs_get() -> None:
    data = json.loads(json.dumps(as_data(example(), Path("out/report.html"))))
    assert data["report"] == "out/report.html"
    assert data["word_errors"][-1] == {"engine": "int8", "errors": 2, "words": 5, "rate": 0.4}
    assert data["utterances"][1]["texts"]["int8"] == "GO UP"
    assert {"net": "joiner", "form": "int8", "bytes": 10_400} in data["sizes"]


@pytest.mark.parametrize(
    ("errors", "good"),
    [((0, 2), True), ((0, 2, 5), False), ((), False)],
    ids=["few", "one has many", "unknown"],
)
def test_it_is_good_when_every_engine_is(errors: tuple[int, ...], good: bool) -> None:
    assert 2 < 100 * GOOD <= 5
    rates = tuple(ErrorRate(str(place), count, 100) for place, count in enumerate(errors))
    assert is_good(Report("m", word_errors=rates)) is good


def test_missing_packages_are_named_at_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "NEEDS", ("json", "no_such_package", "nor_this"))
    result = run("demo")
    assert result.exit_code == 2
    assert "this needs no_such_package, nor_this, which are not installed" in result.err
    assert 'pip install "ncnnparam[pipeline]"' in result.err


@pytest.mark.parametrize("kind", demo.KINDS)
def test_its_files_go_elsewhere(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("msgspec")
    model = demo.demo_model(kind, tmp_path / "there")
    assert (model.name, model.output.folder) == (kind, tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_only_reports_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with _folder(None) as folder:
        (folder / "lstm").mkdir()
        write_report(example(), folder / "lstm")
        (folder / "lstm/encoder.bin").write_bytes(bytes(8))
        (kept,) = _kept([folder / "lstm"])
    assert sorted(path.name for path in kept.iterdir()) == ["report.html", "report.json"]
    assert list(tmp_path.iterdir()) == [kept.parent]


@pytest.mark.nightly
def test_both_recognisers(run: Run, tmp_path: Path) -> None:
    result = run("demo", "--kind", "both", "--keep", tmp_path, "--json")
    assert result.exit_code == 0, result
    answer = json.loads(result.out)
    assert answer["ok"] is True
    assert [model["model"] for model in answer["models"]] == list(demo.KINDS)
    for model in answer["models"]:
        assert Path(model["report"]).is_file()
        assert len(model["utterances"]) >= 12
        engines = {one["engine"]: one for one in model["word_errors"]}
        assert set(engines) >= {"torch", "fp32", "fp16", "int8"}
        sizes = {(one["net"], one["form"]): one["bytes"] for one in model["sizes"]}
        assert sizes["encoder", "int8"] < sizes["encoder", "fp16"] < sizes["encoder", "fp32"]


@pytest.mark.nightly
def test_readme_shows_what_it_prints(run: Run, root: Path) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    _, _, rest = text.partition("<!-- demo output -->\n```\n")
    block, closed, _ = rest.partition("```\n")
    assert closed
    result = run("demo")
    assert result.exit_code == 0, result
    assert _anywhere(result.out) == _anywhere(block)


def _anywhere(text: str) -> str:
    """What is printed, but for the folder of the report, which is another one each time."""
    return re.sub(r"^the report is .*$", "", text, flags=re.M)
