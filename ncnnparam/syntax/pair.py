"""Replacing a ``.param`` and its ``.bin`` as one.

No system can rename two files at once. So the new files are written beside the old ones first, then a small
journal that names them, ``.NAME.param.pair``, and only then both are renamed. The journal decides:

- Killed before it is there: the old pair, and maybe temporary files that mean nothing.
- Killed after: the next time this library loads or saves that ``.param`` it renames what is left, and the
  pair is the new one. Until then a program that does not know the journal may see the new ``.bin`` with the
  old ``.param``, as it may for the instant between the two renames of a save that is not killed.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from ncnnparam.errors import FileError
from ncnnparam.syntax.files import Replacement, sync_folder, write_atomic

_LONGEST = 4096  # bytes of a journal; each name in it has at most 255


def write_pair(
    param: str | os.PathLike[str],
    text: str,
    weights: str | os.PathLike[str],
    pieces: Iterable[bytes | memoryview],
    *,
    backup: bool = False,
) -> None:
    """Replaces two files as one, or makes them; see above for what a kill leaves.

    Args:
        param: The ``.param`` file.
        text: Its new text.
        weights: The ``.bin`` file, in the same folder.
        pieces: Its new content.
        backup: Keep the old files with ``.bak`` added to their names.

    Raises:
        FileError: They cannot be written; the old ones are untouched.
    """
    finish_pair(param)
    target, other = Path(os.path.realpath(param)), Path(os.path.realpath(weights))
    if target == other:
        raise FileError(f"cannot write graph and weights to one file, {param}")
    if target.parent != other.parent:
        message = f"{param} and {weights} are in two folders"
        raise FileError(message, hint="a pair is replaced as one only in a folder of its own")
    for path in (target, other):
        if path.exists() and not path.is_file():
            raise FileError(f"cannot write {path}: it is no regular file")
    new: list[Replacement] = []
    try:
        new.append(Replacement(weights, pieces))
        new.append(Replacement(param, [text.encode("utf-8", "surrogateescape")]))
        if backup:
            for replacement in new:
                replacement.keep_old()
        renames = [[replacement.temporary.name, replacement.target.name] for replacement in new]
        write_atomic(_journal(target), json.dumps(renames))
        new.clear()  # from here on they are the journal's
    finally:
        for replacement in new:
            replacement.discard()
    finish_pair(param)


def finish_pair(param: str | os.PathLike[str]) -> bool:
    """Completes a save that was killed; returns whether there was one.

    Raises:
        FileError: It cannot be completed.
    """
    target = Path(os.path.realpath(param))
    journal = _journal(target)
    try:
        with journal.open("rb") as file:
            renames = _renames(file.read(_LONGEST), target, journal)
    except OSError:  # no such file, nearly always
        return False
    try:
        for temporary, name in renames:
            with contextlib.suppress(FileNotFoundError):  # renamed before the kill
                os.replace(target.parent / temporary, target.parent / name)
        sync_folder(target.parent)
        journal.unlink(missing_ok=True)
    except OSError as error:
        message = f"a save of {param} and its .bin was interrupted and cannot be completed: {error.strerror}"
        raise FileError(message, hint=f"load it where {target.parent} can be written") from None
    return True


def _journal(target: Path) -> Path:
    return target.with_name(f".{target.name}.pair")


def _renames(data: bytes, target: Path, journal: Path) -> list[tuple[str, str]]:
    """What a journal says, which may come from a stranger: it can replace only a pair in its own folder."""
    with contextlib.suppress(ValueError, TypeError):
        (weights_from, weights), (param_from, param) = json.loads(data)
        renames = [(weights_from, weights), (param_from, param)]
        if param == target.name and all(_fits(temporary, name) for temporary, name in renames):
            return renames
    hint = f"delete {journal} if the pair loads in ncnn"
    raise FileError(f"{journal} is no journal of an interrupted save", hint=hint)


def _fits(temporary: object, name: object) -> bool:
    if not isinstance(temporary, str) or not isinstance(name, str):
        return False
    plain = not {"/", "\\", "\0", ":"} & set(temporary + name) and name not in ("", ".", "..")
    return plain and temporary.startswith(f".{name[:100]}.") and temporary.endswith(".tmp")
