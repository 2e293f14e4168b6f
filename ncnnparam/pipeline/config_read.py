"""Reads a config: tables of one model, or of several under ``[models.NAME]``, and says where one is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from ncnnparam.errors import ConfigError, did_you_mean
from ncnnparam.pipeline.config import Flag, Model, Table
from ncnnparam.speech.config import MAX_SIZE, is_config, parse_config
from ncnnparam.speech.flags import FLAG_NAMES, KINDS, OTHER_FLAGS
from ncnnparam.syntax import read_text

Raw = Mapping[str, Any]
_Kind = TypeVar("_Kind", bound=msgspec.Struct)

MODELS = "models"
"""The table of several models."""
_ABOUT = "model"
_FLAG_TABLES = (_ABOUT, "metadata", "encoder")
"""Tables that hold flags of the export, as ``inject-meta --from-config`` reads them."""
_SECTIONS = {
    field.encode_name: field.type
    for field in msgspec.structs.fields(Model)
    if isinstance(field.type, type) and issubclass(field.type, Table)
}
_OWN = ("name", "kind")
_UNKNOWN = re.compile(r"unknown field `(.+?)`")
_ENUM = re.compile(r"invalid enum value '(.+?)'")
_PATH = re.compile(r" - at `\$\.?(.*?)`$")


def read_models(path: str | Path) -> list[Model]:
    """The models of a config, in its order.

    Raises:
        FileError: The file cannot be read.
        ConfigError: It is none; the text has file and line.
    """
    file = Path(path)
    if not is_config(file):
        raise ConfigError(f"{path} is no config", hint="configs end in .toml, .yaml or .json")
    text = read_text(file, max_size=MAX_SIZE, too_large="is it a config? They have a few kB").removeprefix(
        "\ufeff"
    )
    data = _worded(parse_config(text, str(path)))
    source = _Text(text, str(path), file.resolve())
    if not isinstance(data, dict):
        raise ConfigError(f"{path} holds {type(data).__name__}, not tables")
    shared = {key: value for key, value in data.items() if key != MODELS}
    _check_tables(shared, source, ())
    several = data.get(MODELS)
    if several is None:
        return [_model(shared, {}, source, None)]
    tables = several.values() if isinstance(several, dict) else ()
    if not tables or not all(isinstance(one, dict) for one in tables):
        raise source.error(f"{MODELS} must hold a table for each model, [{MODELS}.NAME]", (MODELS,))
    for name, own in several.items():
        if not _is_name(name):
            raise source.error(f"'{name}' is no name of a model: folders are named so", (MODELS, name))
        _check_tables(own, source, (MODELS, name))
    models = [_model(shared, own, source, name) for name, own in several.items()]
    _require_apart(models, source)
    return models


def _require_apart(models: Sequence[Model], source: _Text) -> None:
    """Makes sure that models have names and folders of their own."""
    for what, values in (
        ("name", [model.name for model in models]),
        ("output folder", [str(model.output.folder) for model in models]),
    ):
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise source.error(
                f"two models have the {what} {twice}", (MODELS,), f"give each a {what} of its own"
            )


class _Text:
    """The text of a config, for places in messages."""

    def __init__(self, text: str, name: str, file: Path) -> None:
        self.text, self.name, self.file = text, name, file

    def place(self, keys: tuple[str, ...]) -> str:
        """``file:line`` of a key, or of the nearest of the tables it is in; none of the parsers tells."""
        at = found = 0
        for key in keys:
            words = re.escape(key).replace("_", "[-_]").replace(r"\-", "[-_]")
            match = re.compile(rf"(?<![\w-])[\"']?{words}[\"']?\s*[\]=:.]").search(self.text, at)
            if match is None:
                break
            at, found = match.end() - 1, match.start()
        return f"{self.name}:{self.text.count(chr(10), 0, found) + 1}"

    def error(self, message: str, keys: tuple[str, ...], hint: str | None = None) -> ConfigError:
        return ConfigError(f"{self.place(keys)}: {message}", hint=hint)


def _check_tables(tables: Raw, source: _Text, where: tuple[str, ...]) -> None:
    known = [*_SECTIONS, *_FLAG_TABLES, *(() if where else (MODELS,))]
    for name, table in tables.items():
        if name not in known:
            if not isinstance(table, dict) and _is_flag(name):
                continue
            kind = "table" if isinstance(table, dict) else "key"
            hint = did_you_mean(name, known) or f"the tables are {', '.join(dict.fromkeys(known))}"
            raise source.error(f"there is no {kind} '{name}'", (*where, name), hint)
        if not isinstance(table, dict):
            raise source.error(f"{name} must be a table, not {_shown(table)}", (*where, name))


def _model(shared: Raw, own: Raw, source: _Text, name: str | None) -> Model:
    """One model: its own tables, and where they are silent those at the top."""
    flags = list(_flags(own, source, () if name is None else (MODELS, name)))
    mine = {_bare(flag.name) for flag in flags}
    flags += [flag for flag in _flags(shared, source, ()) if _bare(flag.name) not in mine]
    about = {**shared.get(_ABOUT, {}), **own.get(_ABOUT, {})}
    called = _word(about, "name", source) or name or source.file.parent.name or "model"
    sections: dict[str, Any] = {
        section: _section(section, kind, shared.get(section, {}), own.get(section, {}), source, name)
        for section, kind in _SECTIONS.items()
    }
    model = Model(
        name=called,
        kind=_kind(about, source),
        flags=tuple(flags),
        file=source.file,
        **sections,
    )
    if name is None:
        return model
    output = msgspec.structs.replace(model.output, folder=_folder(model, own, name))
    return msgspec.structs.replace(model, output=output)


def _folder(model: Model, own: Raw, name: str) -> Path:
    """The output folder of one of several models: its own, or one in that of all."""
    return model.output.folder if "folder" in own.get("output", {}) else model.output.folder / name


def _section(
    section: str, kind: type[_Kind], shared: Raw, own: Raw, source: _Text, name: str | None
) -> _Kind:
    base = source.file.parent
    where = (MODELS, name, section) if name is not None and own else (section,)
    merged = {_dashed(key): value for key, value in {**shared, **own}.items()}

    def decode(wanted: type, value: object) -> object:
        if wanted is Path and isinstance(value, str) and value:
            return base / Path(value).expanduser()
        raise ValueError(f"Expected a path, got {_shown(value)}")

    defaults = {
        field.encode_name: str(field.default)
        for field in msgspec.structs.fields(kind)
        if isinstance(field.default, Path)
    }
    try:
        return msgspec.convert({**defaults, **merged}, kind, dec_hook=decode)
    except msgspec.ValidationError as error:
        raise _refused(str(error), kind, section, where, source) from None


def _refused(
    message: str, kind: type[msgspec.Struct], section: str, where: tuple[str, ...], source: _Text
) -> ConfigError:
    """What msgspec says, with a place and a hint."""
    found = _PATH.search(message)
    keys = tuple(key.partition("[")[0] for key in (found[1] if found else "").split(".") if key)
    said = _PATH.sub("", message)
    unknown = _UNKNOWN.search(said)
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    if unknown is None:
        label = ".".join(keys)
        said = f"{label} in [{section}]: {said[:1].lower()}{said[1:]}" if label else said
        value = _ENUM.search(said)
        choices = [str(choice) for choice in get_args(fields.get(label))] if value else []
        hint = value and (did_you_mean(value[1], choices) or f"take one of {', '.join(choices)}")
        return source.error(said, (*where, *keys), hint or None)
    known = list(fields)
    hint = did_you_mean(unknown[1], known) or f"[{section}] knows {', '.join(known)}"
    return source.error(f"[{section}] has no '{unknown[1]}'", (*where, *keys, unknown[1]), hint)


def _flags(tables: Raw, source: _Text, where: tuple[str, ...]) -> Iterator[Flag]:
    """The flags of the export; a key of ``[model]`` that is none is an error."""
    for key, value in tables.items():
        if not isinstance(value, dict):
            yield Flag(key, value, source.place((*where, key)))
    for table in _FLAG_TABLES:
        for key, value in tables.get(table, {}).items():
            if table == _ABOUT and key in _OWN:
                continue
            if not _is_flag(key):
                known = [*_OWN, *(word.replace("_", "-") for word in (*FLAG_NAMES, *OTHER_FLAGS))]
                hint = did_you_mean(_dashed(key), known) or "it holds name, kind and the flags of the export"
                raise source.error(f"[{table}] has no '{key}'", (*where, table, key), hint)
            yield Flag(key, value, source.place((*where, table, key)))


def _word(about: Raw, key: str, source: _Text) -> str:
    value = about.get(key, "")
    if not isinstance(value, str) or (key == "name" and value and not _is_name(value)):
        raise source.error(f"{key} must be a word, not {_shown(value)}", (_ABOUT, key))
    return value


def _kind(about: Raw, source: _Text) -> str:
    kind, known = _word(about, "kind", source), [kind.name for kind in KINDS]
    if kind and kind not in known:
        hint = did_you_mean(kind, known) or f"the kinds are {', '.join(known)}"
        raise source.error(f"there is no kind '{kind}'", (_ABOUT, "kind"), hint)
    return kind


def _is_name(name: str) -> bool:
    """Whether a folder can have this name."""
    return Path(name).name == name and name not in (".", "..")


def _worded(data: Any) -> Any:
    """The same with words for keys: YAML has keys that are numbers or dates."""
    return {str(key): _worded(value) for key, value in data.items()} if isinstance(data, dict) else data


def _dashed(key: str) -> str:
    return key.replace("_", "-")


def _is_flag(key: str) -> bool:
    return _bare(key) in FLAG_NAMES or _bare(key) in OTHER_FLAGS


def _bare(key: str) -> str:
    return key.lstrip("-").replace("-", "_").lower()


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
