"""icefall's own export of a recipe, run in the user's checkout with the user's Python."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from ncnnparam.errors import ConfigError, FileError, NcnnParamError, did_you_mean
from ncnnparam.export.process import Ended, Line, run
from ncnnparam.export.trace import FILE_NAME, Traced, require_torchscript
from ncnnparam.speech.nets import NETS

Flag = str | int | float | bool | os.PathLike[str] | list[int]
"""A value of a flag; a list is written with commas."""

SCRIPT = "export-for-ncnn.py"
TIMEOUT = 3600.0
"""Seconds that the export may take by default."""
_DEFAULT_FOLDER = Path("egs", "librispeech", "ASR")
_LAST = 3


class _Known(NamedTuple):
    """A fault that the last lines of a log tell, and its cure."""

    pattern: str
    message: str
    hint: str


_FAULTS = (
    _Known(
        r"No module named '([\w.]+)'",
        "its Python has no {0}",
        "name the Python in which this recipe was trained, with k2, lhotse and torch",
    ),
    _Known(
        r"No such file or directory: '(.*?\.pt)'",
        "there is no checkpoint {0}",
        "flags epoch (or iter), avg and exp-dir choose it; for a single downloaded file use avg = 1 and "
        "use-averaged-model = 0",
    ),
    _Known(
        r"No such file or directory: '(.*?)'",
        "there is no {0}",
        "paths in flags begin at the recipe's parent",
    ),
    _Known(
        r"invalid load key, 'v'",
        "a checkpoint is a git-lfs pointer, not the file itself",
        "run `git lfs pull` in its checkout",
    ),
    _Known(
        r"(size mismatch for [\w.]+)|(Missing key\(s\) in state_dict)",
        "the flags do not fit the checkpoint",
        "give the flags that the model was trained with",
    ),
    _Known(r"unrecognized arguments: (.*)", "this recipe has no flag {0}", "see export-for-ncnn.py --help"),
    _Known(r"error: (argument .*)", "{0}", "see export-for-ncnn.py --help"),
    _Known(r"error: (the following arguments .*)", "{0}", "see export-for-ncnn.py --help"),
)


def trace_icefall(
    checkout: str | os.PathLike[str],
    recipe: str,
    flags: Mapping[str, Flag],
    *,
    log: str | os.PathLike[str],
    python: str | os.PathLike[str] | None = None,
    timeout: float = TIMEOUT,
    line: Line | None = None,
) -> Traced:
    """Runs the ``export-for-ncnn.py`` of a recipe and finds what it wrote.

    Args:
        checkout: icefall's folder.
        recipe: Folder of the recipe seen from there, or its name in ``egs/librispeech/ASR``.
        flags: Flags of the script without the dashes, ``exp-dir`` among them. Relative paths begin at the
            folder that has the recipe in it, where the script is run.
        log: File for what the script prints.
        python: The Python that can import icefall's packages; by default the one that runs this.
        timeout: Seconds that it may take.
        line: Is told of each line that it prints.

    Raises:
        ConfigError: There is no such recipe, or no ``exp-dir`` among the flags.
        NcnnParamError: The script fails; the text says why if its last lines tell.
    """
    root = Path(checkout).resolve()
    folder = _recipe(root, recipe)
    words = {name.replace("_", "-"): _word(value) for name, value in flags.items()}
    if "exp-dir" not in words:
        raise ConfigError(
            f"no exp-dir is given for {recipe}: it has the checkpoint, and the results go there"
        )
    results = folder.parent / words["exp-dir"]
    before = _stamps(results)
    command = [
        _python(python),
        str(folder / SCRIPT),
        *(word for name, value in words.items() for word in (f"--{name}", value)),
    ]
    known = os.environ.get("PYTHONPATH")
    environment = {"PYTHONPATH": os.pathsep.join([str(root), *([known] if known else [])])}
    kept = Path(log).resolve()
    kept.parent.mkdir(parents=True, exist_ok=True)
    ended = run(command, log=kept, timeout=timeout, folder=folder.parent, environment=environment, line=line)
    if ended.status or ended.timed_out:
        raise _failure(f"{recipe}/{SCRIPT}", ended, kept)
    after = _stamps(results)
    stale = [path.name for path, stamp in after.items() if stamp is None or stamp == before[path]]
    if stale:
        raise NcnnParamError(
            f"{recipe}/{SCRIPT} wrote no {' and no '.join(stale)} in {results}", hint=f"see {kept}"
        )
    encoder, decoder, joiner = map(require_torchscript, after)
    return Traced(encoder, decoder, joiner, kept)


def _recipe(root: Path, recipe: str) -> Path:
    for folder in (root / recipe, root / _DEFAULT_FOLDER / recipe):
        if (folder / SCRIPT).is_file():
            return folder
    if not root.is_dir():
        raise FileError(f"there is no folder {root}", hint="name the checkout of icefall", code="NP801")
    names = [path.parent.name for path in root.glob(f"egs/*/*/*/{SCRIPT}")]
    if not names:
        raise ConfigError(f"{root} has no recipe with {SCRIPT}", hint="name the checkout of icefall")
    hint = did_you_mean(Path(recipe).name, names) or f"those that have one: {', '.join(sorted(set(names)))}"
    raise ConfigError(f"{root} has no recipe '{recipe}' with {SCRIPT}", hint=hint)


def _python(given: str | os.PathLike[str] | None) -> str:
    if given is None:
        return sys.executable
    found = shutil.which(os.path.expanduser(given))
    if found is None:
        raise ConfigError(
            f"cannot run the Python {os.fspath(given)}", hint="name the program, such as bin/python3"
        )
    return os.path.abspath(found)


def _word(value: Flag) -> str:
    """A flag as icefall reads it: truth as 0 and 1, several numbers with commas."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ",".join(map(str, value))
    return os.path.expanduser(value) if isinstance(value, os.PathLike) else str(value)


def _stamps(folder: Path) -> dict[Path, tuple[int, int] | None]:
    """When each result was written, and which file it is; None where there is none."""
    found: dict[Path, tuple[int, int] | None] = {}
    for part in NETS:
        path = folder / FILE_NAME.format(part=part)
        status = path.stat() if path.is_file() else None
        found[path] = None if status is None else (status.st_mtime_ns, status.st_ino)
    return found


def _failure(script: str, ended: Ended, log: Path) -> NcnnParamError:
    if ended.timed_out:
        return NcnnParamError(f"{script} {ended.how}", hint=f"give it more time, or look at {log}")
    for text in reversed(ended.last):
        for fault in _FAULTS:
            match = re.search(fault.pattern, text)
            if match is not None:
                message = fault.message.format(*match.groups())
                return NcnnParamError(f"{script} {ended.how}: {message}", hint=f"{fault.hint} (log: {log})")
    said = "; ".join(ended.last[-_LAST:])
    return NcnnParamError(f"{script} {ended.how}", hint=f"it said: {said} ({log})")
