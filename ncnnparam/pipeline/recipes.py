"""What traced modules are made of: sources of recipes and factories, checkpoints, flags of the export."""

from __future__ import annotations

from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from ncnnparam.pipeline.config import Model

_RECIPES = Path("egs", "librispeech", "ASR")
_MOST = 1000
"""Files that are looked at."""


def export_flags(model: Model) -> dict[str, Any]:
    """The flags of icefall's export, those under ``[trace]`` before those under ``[model]``."""
    shared = {flag.name: flag.value for flag in model.flags}
    return {
        name.lstrip("-").replace("_", "-"): value for name, value in {**shared, **model.trace.flags}.items()
    }


def recipe_sources(model: Model) -> dict[str, Path]:
    """The Python files of icefall's recipe, by a label."""
    folder = _recipe(model)
    return {} if folder is None else _python_files(folder, "recipe", "*.py")


def checkpoints(model: Model) -> dict[str, Path]:
    """The checkpoints that the flags choose, and other files that they name, by a label.

    As icefall chooses them: ``epoch-N.pt`` of the last ``avg`` epochs and the one before, or with ``iter``
    ``checkpoint-N.pt``.
    """
    folder = _recipe(model)
    if folder is None:
        return {}
    flags = export_flags(model)
    found = {}
    for name, value in flags.items():
        path = folder.parent / str(value)
        if path.is_file():
            found[name] = path
    results = folder.parent / str(flags.get("exp-dir", ""))
    if _whole(flags.get("iter")):
        names = sorted(path.name for path in results.glob("checkpoint-*.pt"))
    else:
        last, count = _whole(flags.get("epoch")), _whole(flags.get("avg"))
        names = [f"epoch-{number}.pt" for number in range(max(last - count, 0), last + 1)]
    found |= {name: results / name for name in [*names, "pretrained.pt"] if (results / name).is_file()}
    return found


def factory_sources(factory: str, path: Path | None) -> dict[str, Path]:
    """The Python files of the package that a factory is in, by a label."""
    top = factory.partition(":")[0].partition(".")[0]
    if path is not None:
        folder, file = path / top, path / f"{top}.py"
    else:
        spec = find_spec(top) if top else None
        origin = spec.origin if spec is not None else None
        if origin is None:
            return {}
        file = Path(origin)
        folder = file.parent if file.name == "__init__.py" else file.with_suffix("")
    if folder.is_dir():
        return _python_files(folder, top, "**/*.py")
    return {file.name: file} if file.is_file() else {}


def _python_files(folder: Path, label: str, pattern: str) -> dict[str, Path]:
    found = islice(sorted(folder.glob(pattern)), _MOST)
    return {f"{label}/{path.relative_to(folder).as_posix()}": path for path in found}


def _recipe(model: Model) -> Path | None:
    """Folder of the recipe, if there is one."""
    checkout = model.trace.checkout
    if checkout is None or not model.trace.recipe:
        return None
    folders = (checkout / model.trace.recipe, checkout / _RECIPES / model.trace.recipe)
    return next((folder for folder in folders if folder.is_dir()), None)


def _whole(value: object) -> int:
    """A flag as a whole number; 0 if it is none."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
