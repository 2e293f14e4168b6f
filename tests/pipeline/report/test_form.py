"""``report.json``: golden file, schema, and the way back."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ncnnparam.errors import NcnnParamError
from ncnnparam.pipeline.report import LayerError, Report
from ncnnparam.pipeline.report.form import from_json, schema, to_json
from tests.pipeline.report.example import GOLDEN, SCHEMA, example

pytest.importorskip("msgspec")


def test_golden() -> None:
    assert to_json(example()) == (GOLDEN / "report.json").read_text(encoding="utf-8")


def test_there_and_back() -> None:
    assert from_json(to_json(example())) == example()
    assert from_json(to_json(Report("m"))) == Report("m")


def test_the_schema_is_that_of_the_docs(root: Path) -> None:
    assert json.loads((root / SCHEMA).read_text(encoding="utf-8")) == schema()


def test_it_keeps_the_schema(root: Path) -> None:
    validator = pytest.importorskip("jsonschema").Draft202012Validator
    stated = json.loads((root / SCHEMA).read_text(encoding="utf-8"))
    validator.check_schema(stated)
    for report in (example(), Report("m")):
        assert list(validator(stated).iter_errors(json.loads(to_json(report)))) == []


@pytest.mark.parametrize(
    ("field", "value"), [("version", "1"), ("stages", [{"name": "x", "status": "done"}]), ("sizes", [{}])]
)
def test_the_schema_refuses(root: Path, field: str, value: Any) -> None:
    validator = pytest.importorskip("jsonschema").Draft202012Validator
    wrong = json.loads(to_json(example())) | {field: value}
    assert list(validator(schema()).iter_errors(wrong)) != []
    with pytest.raises(NcnnParamError, match=r"no report\.json"):
        from_json(json.dumps(wrong))


def test_the_example_of_the_docs(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```$", (root / "docs/report.md").read_text(), re.M | re.S)
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    Path("out/report.json").write_text(to_json(example()), encoding="utf-8")
    exec(compile(block, "docs/report.md", "exec"), {})
    assert "int8 0.4\nencoder linear_1 21.5\n" in capsys.readouterr().out


def test_a_newer_version_is_refused() -> None:
    with pytest.raises(NcnnParamError, match="version 2"):
        from_json(to_json(replace(example(), version=2)))


def test_fields_of_later_may_come() -> None:
    assert from_json(json.dumps(json.loads(to_json(Report("m"))) | {"later": 1})) == Report("m")


def test_bytes_that_are_no_text() -> None:
    assert from_json(to_json(Report("m\udc80"))) == Report("m?")


def test_infinity_is_refused() -> None:
    layer = LayerError("encoder", "a", "ReLU", "fp32", float("inf"), 1.0, 0.0)
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json(Report("m", layers=(layer,)))
