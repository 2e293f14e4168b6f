"""Asks every ncnn release what it knows, and writes ``ncnnparam/ops/versions.json``.

    python tools/probe_versions.py FOLDER

Downloads the wheels of ncnn and of sherpa-ncnn into FOLDER with pip, unpacks them there, and asks each in
child processes of a Python it was built for; ``probes/`` has the questions. Takes ten minutes. Wants
the Pythons 3.9, 3.10 and 3.11 on the path, or given with ``--python``: old releases have wheels for old ones
only. A release for which no Python has a wheel is left out and named in the provenance.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probes.features import FEATURES
from probes.params import PARAMS, VALUES

from ncnnparam.ops import registry

PROBES = Path(__file__).with_name("probes")
TABLE = Path(__file__).parent.parent / "ncnnparam" / "ops" / "versions.json"
SHERPA = "2.1.15"
SHERPA_BASE = "20250916"
"""The release nearest to the ncnn inside: its build takes ncnn's master of 2025-09-15."""


@dataclass(frozen=True)
class Runtime:
    """A runtime that can be asked.

    Attributes:
        command: Runs ``child.py``.
        path: What to put on Python's path.
        version: ``3.9`` for example, of the Python.
    """

    command: Sequence[str]
    path: str = ""
    version: str = ""

    def ask(self, questions: list[Any]) -> list[Any]:
        """Answers of ``child.py``: of three to each question the most frequent.

        Some releases read memory that nobody has set, and then one may differ.
        """
        env = {**os.environ, "PYTHONPATH": self.path, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            self.command,
            input=json.dumps(questions * 3),
            stdout=subprocess.PIPE,
            text=True,
            env=env,
            check=True,
        )
        answers = [json.dumps(answer) for answer in json.loads(done.stdout)]
        threes = (answers[number :: len(questions)] for number in range(len(questions)))
        return [json.loads(max(three, key=three.count)) for three in threes]


@dataclass(frozen=True)
class Answers:
    """What a runtime said: to the question about types, and to those of the three kinds of probes."""

    types: list[str]
    features: list[Any]
    params: list[tuple[Any, Any]]
    values: list[list[Any]]


def own_types() -> list[str]:
    """The layer types of ncnn."""
    return [name for name in registry.names() if not _type(name).custom]


def ask(runtime: Runtime) -> Answers:
    """Asks a runtime everything."""
    questions: list[Any] = [{"types": own_types()}]
    questions += [feature.model.question for feature in FEATURES]
    questions += [probe.model(stated=stated).question for probe in PARAMS for stated in (True, False)]
    questions += [probe.model(value).question for probe in VALUES for value in probe.values]
    answers = iter(runtime.ask(questions))
    return Answers(
        types=next(answers),
        features=[next(answers) for _ in FEATURES],
        params=[(next(answers), next(answers)) for _ in PARAMS],
        values=[[next(answers) for _ in probe.values] for probe in VALUES],
    )


def verdicts(said: Answers, everyone: dict[str, Answers]) -> dict[str, dict[str, str]]:
    """What a runtime does, in words: kind of question -> subject -> verdict.

    Args:
        said: Its answers.
        everyone: The answers of the releases, the newest last.
    """
    newest = list(everyone.values())[-1]
    features = {
        feature.name: feature.verdict(answer) for feature, answer in zip(FEATURES, said.features, strict=True)
    }
    params = {
        f"{probe.type}.{id}": probe.verdict(*said.params[number], everyone[probe.reference].params[number][0])
        for number, probe in enumerate(PARAMS)
        for id in probe.ids
        if probe.type in said.types
    }
    values = {
        f"{probe.type}.{probe.id}={value}": probe.verdict(answer, right)
        for probe, answers, rights in zip(VALUES, said.values, newest.values, strict=True)
        for value, answer, right in zip(probe.values, answers, rights, strict=True)
        if probe.type in said.types
    }
    return {"features": features, "params": params, "values": values}


def table(everyone: dict[str, Answers], sherpa: Answers, provenance: dict[str, Any]) -> dict[str, Any]:
    """The whole of ``versions.json``."""
    releases = list(everyone)
    rows = {release: verdicts(said, everyone) for release, said in everyone.items()}
    types = {}
    for name in own_types():
        having = [release for release in releases if name in everyone[release].types]
        if having:
            types[name] = [having[0], having[-1]]
            if having != [release for release in releases if having[0] <= release <= having[-1]]:
                raise SystemExit(f"{name} came, went and came again, which the table cannot say: {having}")
    kinds = {
        kind: {
            subject: _changes(rows, kind, subject)
            for subject in dict.fromkeys(subject for row in rows.values() for subject in row[kind])
        }
        for kind in ("features", "params", "values")
    }
    for kind in ("params", "values"):  # what every release reads says nothing
        kinds[kind] = {
            subject: changes for subject, changes in kinds[kind].items() if {*changes.values()} != {"reads"}
        }
    own, base = verdicts(sherpa, everyone), rows[SHERPA_BASE]
    build = {
        "base": SHERPA_BASE,
        "lacks": [name for name in everyone[SHERPA_BASE].types if name not in sherpa.types],
        **{
            kind: {subject: word for subject, word in own[kind].items() if word != base[kind][subject]}
            for kind in kinds
        },
    }
    return {
        "provenance": provenance,
        "releases": releases,
        "types": types,
        **kinds,
        "builds": {f"sherpa-ncnn-{SHERPA}": build},
    }


def _changes(rows: dict[str, dict[str, dict[str, str]]], kind: str, subject: str) -> dict[str, str]:
    """The verdicts on a subject, each at the first release of a stretch that shares it."""
    changes: dict[str, str] = {}
    for release, row in rows.items():
        word = row[kind].get(subject)
        if word is not None and (not changes or word != list(changes.values())[-1]):
            changes[release] = word
    return changes


def dumps(content: dict[str, Any]) -> str:
    """JSON with one line for each subject."""
    parts = []
    for key, value in content.items():
        if key == "releases":
            text = json.dumps(value)
        elif key == "builds":
            rows = (f"    {json.dumps(name)}: {_build(row)}" for name, row in value.items())
            text = "{\n" + ",\n".join(rows) + "\n  }"
        else:
            rows = (f"    {json.dumps(name)}: {json.dumps(row)}" for name, row in value.items())
            text = "{\n" + ",\n".join(rows) + "\n  }"
        parts.append(f"  {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _build(row: dict[str, Any]) -> str:
    lines = (f"      {json.dumps(key)}: {json.dumps(value)}" for key, value in row.items())
    return "{\n" + ",\n".join(lines) + "\n    }"


def find_pythons(given: Iterable[str]) -> dict[str, str]:
    """Pythons that start, by version (``3.9``), the one that runs this first."""
    found: dict[str, str] = {}
    for command in (sys.executable, *given, *(f"python3.{minor}" for minor in range(14, 8, -1))):
        try:
            code = "import sys; print('%d.%d' % sys.version_info[:2])"
            done = subprocess.run([command, "-c", code], capture_output=True, text=True)
        except FileNotFoundError:
            continue
        if done.returncode == 0:
            found.setdefault(done.stdout.strip(), command)
    return found


def unpack(package: str, version: str, python: str, folder: Path) -> Path | None:
    """Downloads a wheel for a version of Python and unpacks it; None if there is no such wheel."""
    place = folder / f"{package}-{version}-py{python}"
    if not place.is_dir():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        wanted = ["--python-version", python, "--dest", str(folder / "wheels"), f"{package}=={version}"]
        if subprocess.run([*pip, *wanted], capture_output=True).returncode != 0:
            return None
        tag = "cp" + python.replace(".", "")
        stem = package.replace("-", "_")
        (wheel,) = (folder / "wheels").glob(f"{stem}-{version}-{tag}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(place)
    return place


def runtimes(pythons: dict[str, str], folder: Path) -> tuple[dict[str, Runtime], list[str]]:
    """All releases that can be asked, oldest first, and those that cannot."""
    index = subprocess.run(
        [sys.executable, "-m", "pip", "index", "versions", "ncnn"], capture_output=True, text=True, check=True
    )
    line = next(line for line in index.stdout.splitlines() if line.startswith("Available versions"))
    found: dict[str, Runtime] = {}
    missing = []
    for version in sorted(re.findall(r"1\.0\.\d{8}", line)):
        release = version.removeprefix("1.0.")
        for python in sorted(pythons, key=_number, reverse=True):
            place = unpack("ncnn", version, python, folder)
            if place is not None:
                command = [_with_numpy(pythons[python], python, folder), str(PROBES / "child.py")]
                found[release] = Runtime(command, str(place), python)
                break
        else:
            missing.append(release)
    return found, missing


def sherpa_runtime(folder: Path) -> Runtime:
    """The ncnn that sherpa-ncnn carries."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    place = unpack("sherpa-ncnn", SHERPA, python, folder)
    if place is None:
        raise SystemExit(f"sherpa-ncnn {SHERPA} has no wheel for Python {python}")
    (library,) = place.glob("sherpa_ncnn/lib/libncnn.so")
    return Runtime([sys.executable, str(PROBES / "child.py"), str(library)], "", python)


def _with_numpy(python: str, version: str, folder: Path) -> str:
    """A virtual environment with a numpy that old wheels work with."""
    place = folder / f"venv-{version}"
    if not place.is_dir():
        subprocess.run([python, "-m", "venv", str(place)], check=True)
        subprocess.run([str(place / "bin" / "python"), "-m", "pip", "install", "-q", "numpy<2"], check=True)
    return str(place / "bin" / "python")


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _type(name: str) -> Any:
    return registry.get(name)


def main() -> None:
    """Ask everything and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, help="for wheels and virtual environments; kept")
    parser.add_argument("--python", action="append", default=[], help="another Python to use")
    parser.add_argument("--output", type=Path, default=TABLE)
    options = parser.parse_args()
    folder = options.folder.absolute()
    found, missing = runtimes(find_pythons(options.python), folder)
    everyone = {}
    for release, runtime in found.items():
        print(release, "with Python", runtime.version, flush=True)
        everyone[release] = ask(runtime)
    provenance = {
        "tool": "tools/probe_versions.py",
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "platform": f"{platform.system()} {platform.machine()}",
        "wheels": {
            python: [release for release, runtime in found.items() if runtime.version == python]
            for python in sorted({runtime.version for runtime in found.values()}, key=_number)
        },
        "not installable": missing,
        f"sherpa-ncnn-{SHERPA}": "libncnn.so of the wheel",
    }
    content = table(everyone, ask(sherpa_runtime(folder)), provenance)
    options.output.write_text(dumps(content), encoding="utf-8")


if __name__ == "__main__":
    main()
