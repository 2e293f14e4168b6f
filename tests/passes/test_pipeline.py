"""Pipelines as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncnnparam.errors import ConfigError
from ncnnparam.passes import Pass, catalog, parse_pipeline


def names(text: str) -> list[str]:
    return [one.name for one in parse_pipeline(text)]


def test_names_families_and_globs() -> None:
    assert names("") == names(" \n ") == []
    assert names("fuse-batchnorm, eliminate-dropout,") == ["fuse-batchnorm", "eliminate-dropout"]
    assert names("optimize") == catalog.families()["optimize"]
    assert names("eliminate-d*") == ["eliminate-dropout", "eliminate-dead", "eliminate-duplicates"]


def test_options_reach_the_pass() -> None:
    for text in ('eliminate-dead{outputs="out0"}', "eliminate-dead { outputs = out0 }"):
        (one,) = parse_pipeline(text)
        (other,) = parse_pipeline("eliminate-dead")
        assert vars(one) != vars(other)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fuse-batchnor", "did you mean fuse-batchnorm"),
        ("nothing-*", "there is no pass 'nothing-*'"),
        ("fuse-batchnorm{level=2}", "fuse-batchnorm has no option 'level'"),
        ("eliminate-dead{output=x}", "did you mean outputs"),
        ("eliminate-dead{outputs=a,outputs=b}", "given twice"),
        ("fuse-*{level=2}", "several passes"),
        ("a,,b", "this is no pipeline"),
        ("optimize{", "this is no pipeline"),
        ("fuse-batchnorm}", "this is no pipeline"),
        ("a;b", "this is no pipeline"),
        ('a{b="}', "this is no pipeline"),
    ],
)
def test_what_cannot_be_understood_is_told(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_pipeline(text)
    assert said in str(caught.value)


def test_every_pass_has_a_name_of_its_own_and_a_summary() -> None:
    described = catalog.describe(factory for name in catalog.names() for factory in catalog.find(name))
    assert [name for name, _ in described] == catalog.names()
    assert len(set(catalog.names())) == len(described)
    assert all(text and text[0].isupper() and not text.endswith(".") for _, text in described)


def test_a_pass_out_of_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own_passes_of_this_test.py").write_text(
        "from ncnnparam.passes import Pass\n"
        "class Own(Pass):\n    name = 'own'\n    def run(self, model): return False\n"
        "ready = Own()\n"
        "def plain(model): return False\n"
        "number = 5\n"
    )
    place = "own_passes_of_this_test"
    made = [catalog.make(catalog.load(f"{place}:{name}"), {}) for name in ("Own", "ready", "plain")]
    assert all(isinstance(one, Pass) for one in made)
    assert [one.name for one in made] == ["own", "own", "plain"]
    for wrong in (f"{place}:number", f"{place}:missing", "no_such_module_at_all:Own", place, ":x", "x:"):
        with pytest.raises(ConfigError):
            catalog.load(wrong)
