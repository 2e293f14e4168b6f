"""Reads the flags of an icefall export from what the export left behind: its command or its log.

Commands are taken apart, never run; dicts in logs are parsed, never evaluated.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ncnnparam.errors import ConfigError
from ncnnparam.speech.flags import FLAG_NAMES, KINDS, Kind, kinds_with
from ncnnparam.speech.given import Flags, Given, collect
from ncnnparam.speech.shell import Command, commands

_SCRIPT = re.compile(r"(?:^|/)export-for-ncnn(?:-zh)?\.py$")
_MENTIONS = frozenset(
    ("echo", "printf", "log", "cat", "grep", "sed", "ls", "cp", "mv", "ln", "rm", "chmod", "git")
)
"""Commands that may name the script without running it."""

_MAX_DICT = 1024 * 1024
_LOGGED_DICT = re.compile(r"\[export-for-ncnn(?:-zh)?\.py:\d+\][^\n{]*(?=\{)")


def read_command(text: str, name: str, *, kind: Kind | None = None) -> Flags | None:
    """The flags of the command in a shell script, or in a single line, that runs an ``export-for-ncnn.py``.

    A flag that the command does not have took the recipe's default: ``Flags.recipe_defaults`` is set.

    Args:
        text: The script.
        name: Its name, for messages.
        kind: Which exports count when there are several that differ.

    Raises:
        ConfigError: Two such commands say different things, or a value is only known when the script runs.

    Returns:
        The flags, or None when no command runs that script.
    """
    found: list[tuple[int, Flags]] = []
    for command in commands(text):
        script = _script(command)
        if script is not None:
            flags = collect(_arguments(command, script + 1, text, name), source=name, recipe_defaults=True)
            recipe = _recipe_kind(command.words[script])
            found.append((command.line, Flags(flags.given, recipe, name, recipe_defaults=True)))
    return _only(found, name, kind)


def read_log(text: str, name: str, *, kind: Kind | None = None) -> Flags | None:
    """The flags in the parameters that ``export-for-ncnn.py`` printed to its log, as Python or as JSON.

    Args:
        text: The log; lines that a terminal broke in two are healed.
        name: Its name, for messages.
        kind: Which exports count when there are several that differ.

    Raises:
        ConfigError: Two exports in the log say different things, or the parameters cannot be read.

    Returns:
        The flags, or None when this is no such log.
    """
    found: list[tuple[int, Flags]] = []
    for match in _LOGGED_DICT.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        literals = _literals(_braces(text, match.end()), f"{name}:{line}")
        items = [
            (key, Given(value, f"{name}:{line}")) for key, value in literals.items() if key in FLAG_NAMES
        ]
        if items:
            found.append((line, collect(items, source=name)))
    return _only(found, name, kind)


def _script(command: Command) -> int | None:
    """Which word of a command is the export script that it runs with flags."""
    if command.words[0] in _MENTIONS or not any(word.startswith("--") for word in command.words):
        return None
    return next((index for index, word in enumerate(command.words) if _SCRIPT.search(word)), None)


def _arguments(command: Command, start: int, text: str, name: str) -> Iterator[tuple[str, Given]]:
    """Flags of a command and their values, as argparse takes them: ``--flag value`` or ``--flag=value``."""
    words = command.words
    for index in range(start, len(words)):
        flag, equals, value = words[index].partition("=")
        if not flag.startswith("--") or flag == "--":
            continue
        if not equals and index + 1 < len(words) and not words[index + 1].startswith("--"):
            value = words[index + 1]
        place = f"{name}:{_line_of(flag, command, text)}"
        if "$" in value and flag.lstrip("-").replace("-", "_") in FLAG_NAMES:
            raise ConfigError(
                f"{place}: the value of {flag} is {value}, which the script does not set plainly",
                hint=f"write the number there, or pass {flag} to this command",
            )
        yield flag, Given(value, place)


def _line_of(flag: str, command: Command, text: str) -> int:
    lines = text.splitlines()[command.line - 1 : command.last_line]
    pattern = re.compile(rf"{re.escape(flag)}(?![\w-])")
    return next(
        (number for number, line in enumerate(lines, command.line) if pattern.search(line)), command.line
    )


def _recipe_kind(path: str) -> Kind | None:
    """The kind of the recipe whose folder a script lies in."""
    folder = path.rpartition("/")[0].rpartition("/")[2]
    return next((kind for kind in KINDS if folder.startswith(kind.recipe)), None)


def _only(found: list[tuple[int, Flags]], name: str, kind: Kind | None) -> Flags | None:
    """The one set of flags, of a kind if that is known, also when it stands there several times."""
    if not found:
        return None
    fitting = [(line, flags) for line, flags in found if kind in _kinds(flags)]
    (first_line, first), *others = fitting or found
    for line, flags in others:
        said = [{key: str(given.value) for key, given in each.given.items()} for each in (first, flags)]
        if said[0] != said[1] or flags.kind is not first.kind:
            raise ConfigError(
                f"{name}: the exports in lines {first_line} and {line} have different flags",
                hint="keep the one of this model in a file of its own",
            )
    return first


def _kinds(flags: Flags) -> tuple[Kind, ...]:
    return (flags.kind,) if flags.kind else kinds_with(flags.given)


def _braces(text: str, start: int) -> str:
    """From an opening brace to the closing one; quotes are heeded, and line ends are taken out."""
    depth = 0
    for match in re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[{}]""", re.DOTALL).finditer(text, start):
        depth += {"{": 1, "}": -1}.get(match.group(), 0)
        if depth == 0:
            return re.sub(r"\r?\n", "", text[start : match.end()])
    return text[start:]


def _literals(text: str, place: str) -> dict[str, object]:
    """The entries of a printed dict whose values are literals; not ``PosixPath('exp')``, ``inf`` and such."""
    if len(text) > _MAX_DICT:
        raise ConfigError(
            f"{place}: the printed parameters have {len(text)} characters", hint="is this such a log?"
        )
    # repr() of most objects is no Python: <Enum.x: 1>, <function f at 0x7f>
    text = re.sub(r"<[^<>]*>", "None", text)
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ConfigError(
            f"{place}: the printed parameters cannot be read", hint="is the log cut off?"
        ) from None
    found: dict[str, object] = {}
    if isinstance(tree, ast.Dict):
        for key, value in zip(tree.keys, tree.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                try:
                    found[key.value] = ast.literal_eval(value)
                except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                    continue
    return found
