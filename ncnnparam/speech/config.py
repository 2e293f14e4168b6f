"""Finds and reads what tells the flags of an export: a config, the command that was run, or its log."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ncnnparam.errors import ConfigError
from ncnnparam.speech.flags import Kind
from ncnnparam.speech.given import Flags, Given, collect
from ncnnparam.speech.recipe import read_command, read_log
from ncnnparam.syntax import read_text

CONFIG_NAMES = ("ncnnparam.toml", "ncnnparam.yaml", "ncnnparam.yml", "ncnnparam.json")
"""Names under which a config is found by itself."""

_ENDINGS = (".toml", ".yaml", ".yml", ".json")

TABLES = ("model", "metadata", "encoder")
"""Tables of a config that may hold the flags; they may also stand at its top."""

MAX_SIZE = 16 * 1024 * 1024
"""The largest config, script or log that is read, in bytes."""


def find_config(model: str | Path | None = None, *, folder: str | Path = ".") -> Path:
    """The config of a model: beside the model, or else in the working folder.

    Args:
        model: The ``.param`` file, or None for one that has no place.
        folder: The working folder.

    Raises:
        ConfigError: There is none, or one folder has several.
    """
    folders = [Path(folder)] if model is None else [Path(model).parent, Path(folder)]
    for place in folders:
        found = [place / name for name in CONFIG_NAMES if (place / name).is_file()]
        if len(found) > 1:
            raise ConfigError(
                f"there is more than one config: {', '.join(map(str, found))}", hint="name the one to use"
            )
        if found:
            return found[0]
    looked = " or ".join(dict.fromkeys(str(place) for place in folders))
    raise ConfigError(f"found no config in {looked}", hint=f"it would be called {', '.join(CONFIG_NAMES)}")


def read_config(path: str | Path, *, kind: Kind | None = None) -> Flags:
    """The flags in a file: a ``.toml``, ``.yaml`` or ``.json`` config, or a script, a command line or a log.

    Nothing in the file is run. Config keys that are no flags are left to others, unless they look like a
    misspelt flag.

    Args:
        path: The file.
        kind: The kind of the model, when it is known: chooses among several exports in one script or log.

    Raises:
        FileError: The file cannot be read.
        ConfigError: It cannot be understood; the text has file and line.
    """
    name = str(path)
    text = read_text(path, max_size=MAX_SIZE, too_large="is it a config, a script or a log?").removeprefix(
        "\ufeff"
    )
    if is_config(path):
        return _flags(parse_config(text, name), text, name)
    flags = read_log(text, name, kind=kind) or read_command(text, name, kind=kind)
    if flags is None:
        raise ConfigError(
            f"{name} is no config, has no command that runs export-for-ncnn.py, and is no log of one",
            hint="configs end in .toml, .yaml or .json",
        )
    return flags


def is_config(path: str | Path) -> bool:
    """Whether a file is named as configs are, whatever is in it."""
    return Path(path).suffix.lower() in _ENDINGS


def parse_config(text: str, name: str) -> object:
    """What a config holds, in Python's own types.

    Args:
        text: The config.
        name: Its name, whose ending tells the language: ``.toml``, ``.yaml``, ``.yml`` or ``.json``.

    Raises:
        ConfigError: It is not in that language; the text has file and line.
    """
    parse = {".toml": _toml, ".json": _json}.get(Path(name).suffix.lower(), _yaml)
    return parse(text, name)


def _flags(data: object, text: str, name: str) -> Flags:
    if not isinstance(data, dict):
        raise ConfigError(f"{name} holds {type(data).__name__}, not flags and their values")
    return collect(_items(data, text, name), source=name)


def _items(data: Mapping[Any, Any], text: str, name: str) -> Iterator[tuple[str, Given]]:
    for key, value in data.items():
        if key in TABLES and isinstance(value, dict):
            for inner, item in value.items():
                yield str(inner), Given(item, f"{name}:{_line_of(text, str(inner), after=str(key))}")
        elif not isinstance(value, dict):
            yield str(key), Given(value, f"{name}:{_line_of(text, str(key))}")


def _line_of(text: str, key: str, *, after: str = "") -> int:
    """The line where a key is set; none of the parsers tells."""
    start = re.search(rf"^\W*{re.escape(after)}\b", text, re.MULTILINE) if after else None
    pattern = re.compile(rf"(?<![\w-])[\"']?{re.escape(key)}[\"']?[ \t]*[=:]")
    match = pattern.search(text, start.start() if start else 0) or pattern.search(text)
    return text.count("\n", 0, match.start()) + 1 if match else 1


def _toml(text: str, name: str) -> object:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        line = re.search(r"at line (\d+)", str(error))
        raise _broken(name, "TOML", error, int(line.group(1)) if line else None) from None


def _yaml(text: str, name: str) -> object:
    import yaml

    try:
        return yaml.safe_load(text) or {}
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date such as 2024-99-99
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or error
        raise _broken(name, "YAML", what, mark.line + 1 if mark else None) from None


def _json(text: str, name: str) -> object:
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _broken(name, "JSON", getattr(error, "msg", error), getattr(error, "lineno", None)) from None


def _broken(name: str, language: str, what: object, line: int | None) -> ConfigError:
    return ConfigError(f"{name}{f':{line}' if line else ''}: this is no {language}: {what}")
