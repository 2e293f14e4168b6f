"""``ncnnparam check`` as a user runs it: exit codes, formats, repairs, standard input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SOUND = "7767517\n2 2\nInput in0 0 1 in0\nReLU relu 1 1 in0 out0\n"
COUNTS = SOUND.replace("2 2", "3 9")
INFO = "7767517\n2 3\nInput in0 0 1 in0\nSlice s 1 2 in0 out0 rest -23300=2,-233,-233\n"


def run(*args: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ncnnparam", "check", *map(str, args)]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.param"
    path.write_text(COUNTS)
    return path


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (SOUND, 0, "nothing found"),
        (INFO, 0, "1 info"),
        (COUNTS, 1, "1 error, 1 warning (2 can be repaired with --fix)"),
        (SOUND.replace("relu 1 1", "relu one 1"), 2, "1 error"),
        ("7767518 2 2\n", 2, "1 error"),
        ("", 2, "1 error"),
    ],
)
def test_exit_code_and_summary(tmp_path: Path, text: str, code: int, said: str) -> None:
    path = tmp_path / "model.param"
    path.write_text(text)
    result = run(path)
    assert (result.returncode, result.stderr) == (code, f"{said}\n")


def test_text_shows_the_place(model: Path) -> None:
    lines = run(model).stdout.splitlines()
    assert lines[0].startswith(f"{model}:2:1: NP201 error the header declares 3 layers and the file has 2")
    assert lines[1:3] == ["    3 9", "    ^"]


def test_a_broken_file_is_reported_in_the_chosen_format(tmp_path: Path) -> None:
    path = tmp_path / "model.param"
    path.write_text(SOUND.replace("relu 1 1", "relu one 1"))
    result = run("--format", "json", path)
    (record,) = json.loads(result.stdout)
    assert (result.returncode, record["code"], record["line"], record["column"]) == (2, "NP101", 4, 11)


def test_formats(model: Path) -> None:
    assert [r["code"] for r in json.loads(run("--format", "json", model).stdout)] == ["NP201", "NP202"]
    assert run("--format", "github", model).stdout.startswith(f"::error file={model},line=2,col=1,")
    log = json.loads(run("--format", "sarif", model).stdout)
    assert [result["ruleId"] for result in log["runs"][0]["results"]] == ["NP201", "NP202"]
    rules = {rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]}
    assert {"NP101", "NP215", "NP301"} <= rules


def test_formats_of_a_clean_file(tmp_path: Path) -> None:
    path = tmp_path / "model.param"
    path.write_text(SOUND)
    assert run("--format", "json", path).stdout == "[]\n"
    assert run("--format", "github", path).stdout == ""
    assert json.loads(run("--format", "sarif", path).stdout)["runs"][0]["results"] == []


def test_fix_repairs_in_place_and_says_so(model: Path) -> None:
    result = run("--fix", model)
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr.startswith(
        f"{model}: the header declares 2 layers and 2 blobs, and no longer 3 and 9\n"
    )
    assert model.read_text() == SOUND


def test_fix_leaves_a_sound_file_untouched(tmp_path: Path) -> None:
    path = tmp_path / "model.param"
    path.write_bytes(SOUND.replace("\n", "\r\n").encode())
    before = path.stat().st_mtime_ns
    assert run("--fix", path).returncode == 0
    assert path.stat().st_mtime_ns == before
    assert path.read_bytes() == SOUND.replace("\n", "\r\n").encode()


def test_fix_reports_what_is_left_in_the_new_text(model: Path) -> None:
    model.write_text(COUNTS.replace("relu 1 1 in0", "relu 1 1 elsewhere"))
    result = run("--fix", model)
    assert result.returncode == 1
    assert f"{model}:4:15: NP205 error" in result.stdout
    assert "NP20" not in result.stdout.replace("NP205", "").replace("NP208", "")


def test_fix_does_only_what_is_selected(model: Path) -> None:
    model.write_text(COUNTS.replace("in0 out0\n", "in0 out0 0=2.f 0=1\n"))
    assert run("--fix", "--select", "repeated-param", model).returncode == 0
    assert model.read_text().endswith("in0 out0 0=1\n")


def test_a_file_that_cannot_be_parsed_is_not_touched_by_fix(model: Path) -> None:
    model.write_text("7767517\n1 1\nInput in0 0 one in0\n")
    assert run("--fix", model).returncode == 2
    assert model.read_text() == "7767517\n1 1\nInput in0 0 one in0\n"


def test_trailing_text_goes_on_request(model: Path) -> None:
    model.write_text(f"{SOUND}the end\n")
    assert run("--fix", model).returncode == 1
    assert run("--fix", "--unsafe-fixes", model).returncode == 0
    assert model.read_text() == SOUND


def test_diff_shows_and_changes_nothing(model: Path) -> None:
    result = run("--diff", model)
    assert result.returncode == 1
    assert "-3 9\n+2 2\n" in result.stdout
    assert "NP201" in result.stderr
    assert model.read_text() == COUNTS


def test_diff_of_a_sound_file_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "model.param"
    path.write_text(SOUND)
    result = run("--diff", path)
    assert (result.returncode, result.stdout) == (0, "")


def test_fix_and_diff_exclude_each_other(model: Path) -> None:
    assert run("--fix", "--diff", model).returncode == 2


def test_standard_input(model: Path) -> None:
    assert "<stdin>:2:1: NP201" in run("-", stdin=COUNTS).stdout


def test_standard_input_is_repaired_to_standard_output() -> None:
    result = run("--fix", "--format", "json", "-", stdin=f"{SOUND.replace('2 2', '2 9')}\nend\n")
    assert result.stdout == f"{SOUND}\nend\n"
    assert '"NP114"' in result.stderr
    assert result.returncode == 1


def test_select_and_ignore(model: Path) -> None:
    assert run("--select", "NP1", model).returncode == 0
    assert "NP202" not in run("--ignore", "NP202,NP3", model).stdout


def test_an_unknown_rule_is_trouble(model: Path) -> None:
    result = run("--select", "layer-cout", model)
    assert result.returncode == 2
    assert "did you mean layer-count" in result.stderr


def test_strict_takes_only_what_the_newest_ncnn_reads(tmp_path: Path) -> None:
    path = tmp_path / "model.param"
    path.write_text(SOUND.replace("out0\n", "out0 0=2.f\n"))
    assert run(path).returncode == 1
    result = run("--strict", path)
    assert result.returncode == 2
    assert ":4:26: NP101 error" in result.stdout


def test_one_unreadable_file_does_not_hide_the_others(model: Path, tmp_path: Path) -> None:
    result = run(tmp_path / "nothing.param", model)
    assert result.returncode == 2
    assert "cannot read" in result.stderr
    assert "NP201" in result.stdout


def test_a_file_beyond_the_limit_is_trouble(model: Path) -> None:
    result = run("--max-size", "10", model)
    assert result.returncode == 2
    assert "NP201" not in result.stdout


def test_metadata_rules_run_too(model: Path) -> None:
    model.write_text("7767517\n3 2\nSherpaMetaData meta 0 0 0=1\n" + SOUND.split("\n", 2)[2])
    assert "NP301" in run(model).stdout


def test_names_that_are_no_utf8(tmp_path: Path) -> None:
    path = tmp_path / "model.param"
    path.write_bytes(COUNTS.encode().replace(b"relu", b"\xff\xfe").replace(b"3 9", b"2 2"))
    assert run(path).returncode == 0
    path.write_bytes(path.read_bytes().replace(b"in0 out0", b"in\xff out0"))
    assert "\ufffd" in run(path).stdout


def test_strict_only_looks(model: Path) -> None:
    before = model.read_bytes()
    result = run("--strict", "--fix", "--unsafe-fixes", model)
    assert (result.returncode, model.read_bytes()) == (2, before)
    assert "take one of them" in result.stderr
