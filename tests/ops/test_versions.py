"""The table of releases: how it answers, and whether the installed runtimes still give its answers."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ncnnparam.errors import ConfigError
from ncnnparam.ops import registry, versions
from ncnnparam.ops.versions import target

TABLE: dict[str, Any] = json.loads(Path(versions.__file__).with_suffix(".json").read_text(encoding="utf-8"))
NEWEST = "20261020"
KINDS = ("features", "params", "values")


def test_releases_and_targets() -> None:
    assert versions.releases()[0] == "20210525"
    assert versions.releases()[-1] == NEWEST
    assert list(versions.releases()) == sorted(set(versions.releases()))
    assert versions.targets()[-2:] == (f"ncnn-{NEWEST}", "sherpa-ncnn-2.1.15")


@pytest.mark.parametrize("name", versions.targets())
def test_every_target_has_its_name(name: str) -> None:
    assert (str(target(name)), target(name).note) == (name, "")


def test_latest_is_the_newest_release() -> None:
    assert target("latest") == target(f"ncnn-{NEWEST}")


@pytest.mark.parametrize(
    ("day", "release"), [("20250915", "20250503"), ("20210526", "20210525"), ("20991231", NEWEST)]
)
def test_a_day_between_two_releases_is_the_one_before(day: str, release: str) -> None:
    found = target(f"ncnn-{day}")
    assert (found.name, found.release) == (f"ncnn-{release}", release)
    assert found.note == f"there is no release of {day}; {release} is the one before it"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ncnn-2025916", "did you mean ncnn-20250916"),
        ("latst", "did you mean latest?"),
        ("sherpa-ncnn-2.1.14", "did you mean sherpa-ncnn-2.1.15"),
        ("ncnn-20200101", "the oldest release that is known is ncnn-20210525"),
        ("", "targets are ncnn-20210525, "),
        ("torch", "targets are ncnn-20210525, "),
    ],
)
def test_an_unknown_target_is_an_error_that_helps(name: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=f"there is no target '{name}'") as error:
        target(name)
    assert hint in str(error.value)


def test_types() -> None:
    assert [target(f"ncnn-{day}").has_type("CELU") for day in ("20230816", "20231027", NEWEST)] == [
        False,
        True,
        True,
    ]
    assert target("ncnn-20250916").has_type("Swish")
    assert not target("sherpa-ncnn-2.1.15").has_type("Swish")
    assert not target("latest").has_type("SherpaMetaData")
    assert (versions.type_since("CELU"), versions.type_since("NoSuchType")) == ("20231027", None)


def test_params_and_values() -> None:
    assert target("ncnn-20260526").param("Reshape", 12) == "ignores"
    assert target("latest").param("Reshape", 12) == "reads"
    assert target("ncnn-20210525").param("Reshape", 0) == "reads"
    assert versions.param_since("Reshape", 12) == NEWEST
    assert versions.param_since("Reshape", 0) is None
    assert target("ncnn-20250916").value("BinaryOp", 0, 12) == "misreads"
    assert target("ncnn-20220729").value("BinaryOp", 0, 12) == "crashes"
    assert target("latest").value("BinaryOp", 0, 12) == "reads"


def test_an_unknown_feature_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        target("latest").feature("no-such-feature")


def test_a_build_does_what_its_base_does_but_for_what_the_table_says() -> None:
    for name, build in TABLE["builds"].items():
        base = target(f"ncnn-{build['base']}")
        for feature in TABLE["features"]:
            expected = build["features"].get(feature, base.feature(feature))
            assert target(name).feature(feature) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_changes_are_in_order_and_are_changes(kind: str) -> None:
    known = {"reads", "accepts", "ignores", "misreads", "refuses", "crashes"}
    for changes in TABLE[kind].values():
        assert list(changes) == sorted(changes)
        assert {*changes} <= {*versions.releases()}
        assert {*changes.values()} <= known
        assert all(one != other for one, other in pairwise(changes.values()))


def test_the_table_names_ncnn_types_only() -> None:
    own = {name for name in registry.names() if not registry.get(name).custom}
    named = {subject.partition(".")[0] for kind in ("params", "values") for subject in TABLE[kind]}
    lacking = {name for build in TABLE["builds"].values() for name in build["lacks"]}
    assert {*TABLE["types"]} | named | lacking <= own
    assert all(first <= last for first, last in TABLE["types"].values())


def test_the_newest_release_reads_what_the_registry_declares() -> None:
    for subject, changes in TABLE["params"].items():
        name, _, id = subject.partition(".")
        layer_type = registry.get(name)
        assert layer_type is not None
        reads = list(changes.values())[-1] == "reads"
        assert reads == (layer_type.param(int(id)) is not None), subject


@pytest.fixture(scope="module")
def probe(tools: Path) -> ModuleType:
    """The module that asks the runtimes."""
    return importlib.import_module("probe_versions")


@pytest.fixture(scope="module")
def tools() -> Iterator[Path]:
    """The folder of the tools, importable."""
    folder = Path(__file__).resolve().parent.parent.parent / "tools"
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


def row(name: str, kind: str) -> dict[str, str]:
    """What the table says of a target."""
    asked = target(name)
    look_up = {
        "features": asked.feature,
        "params": lambda subject: asked.param(*_param(subject)),
        "values": lambda subject: asked.value(
            *_param(subject.partition("=")[0]), int(subject.partition("=")[2])
        ),
    }[kind]
    return {subject: look_up(subject) for subject in TABLE[kind]}


def _param(subject: str) -> tuple[str, int]:
    name, _, id = subject.partition(".")
    return name, int(id)


def test_the_table_has_every_question(probe: ModuleType) -> None:
    assert [feature.name for feature in probe.FEATURES] == list(TABLE["features"])
    asked = {f"{one.type}.{id}" for one in probe.PARAMS for id in one.ids}
    assert {*TABLE["params"]} <= asked


def test_the_file_is_as_the_tool_writes_it(probe: ModuleType) -> None:
    assert probe.dumps(TABLE) == Path(versions.__file__).with_suffix(".json").read_text(encoding="utf-8")


def test_a_verdict_is_noted_where_it_changes(probe: ModuleType) -> None:
    words = {"1": "reads", "2": "reads", "3": "crashes", "4": "reads"}
    rows = {release: {"params": {"X.1": word}} for release, word in words.items()}
    assert probe._changes({"0": {"params": {}}, **rows}, "params", "X.1") == {
        "1": "reads",
        "3": "crashes",
        "4": "reads",
    }


def test_the_installed_ncnn_does_what_the_table_says(probe: ModuleType) -> None:
    ncnn = pytest.importorskip("ncnn")
    release = ncnn.__version__.removeprefix("1.0.")
    if release != NEWEST:
        pytest.skip(f"the questions refer to {NEWEST}, and {release} is installed")
    said = probe.ask(probe.Runtime([sys.executable, str(probe.PROBES / "child.py")]))
    assert set(said.types) == {name for name in TABLE["types"] if target("latest").has_type(name)}
    features = {
        one.name: one.verdict(answer) for one, answer in zip(probe.FEATURES, said.features, strict=True)
    }
    assert features == row("latest", "features")
    for one, (stated, absent) in zip(probe.PARAMS, said.params, strict=True):
        # what only an older release reads makes no difference here
        verdict = one.verdict(stated, absent, stated) if one.reference == NEWEST else "ignores"
        assert {target("latest").param(one.type, id) for id in one.ids} == {verdict}, one
        assert (verdict == "reads") != importlib.import_module("probes.features").same(stated, absent), one
    assert all(answer["run"] == 0 for answers in said.values for answer in answers)


def test_the_ncnn_in_sherpa_ncnn_does_what_the_table_says(probe: ModuleType) -> None:
    spec = find_spec("sherpa_ncnn")
    if spec is None or spec.origin is None:
        pytest.skip("sherpa-ncnn is not installed")
    library = Path(spec.origin).parent / "lib" / "libncnn.so"
    if not library.exists():
        pytest.skip("this build of sherpa-ncnn has no ncnn of its own")
    name = f"sherpa-ncnn-{probe.SHERPA}"
    said = probe.ask(probe.Runtime([sys.executable, str(probe.PROBES / "child.py"), str(library)]))
    assert set(said.types) == {type for type in TABLE["types"] if target(name).has_type(type)}
    features = {
        one.name: one.verdict(answer) for one, answer in zip(probe.FEATURES, said.features, strict=True)
    }
    assert features == row(name, "features")


@pytest.mark.nightly
def test_all_releases_still_do_what_the_table_says(
    probe: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Downloads every wheel that a Python of this machine can run, and asks it; takes minutes."""
    output = tmp_path / "versions.json"
    monkeypatch.setattr(sys, "argv", ["probe_versions.py", str(tmp_path / "wheels"), "--output", str(output)])
    probe.main()
    again = json.loads(output.read_text(encoding="utf-8"))
    if again["releases"] != TABLE["releases"]:
        pytest.skip(f"not all releases can be run here: {again['provenance']['not installable']}")
    assert {key: again[key] for key in TABLE if key != "provenance"} == {
        key: TABLE[key] for key in TABLE if key != "provenance"
    }
