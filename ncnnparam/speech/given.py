"""Flags as somebody gave them, with the place where each stands, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ncnnparam.errors import ConfigError, did_you_mean
from ncnnparam.speech.flags import (
    FLAG_NAMES,
    KINDS,
    OTHER_FLAGS,
    Field,
    Kind,
    Setting,
    kinds_with,
    named_kind,
)
from ncnnparam.speech.metadata import Metadata, of_kind

if TYPE_CHECKING:
    from ncnnparam.speech.evidence import Fact, Inference

_NEAR = 0.82
"""How alike a name must be to count as a misspelt flag, by difflib's ratio; ``rnn-hidden-dim`` is."""


@dataclass(frozen=True, slots=True)
class Given:
    """The value of one flag.

    Attributes:
        value: What was written, not yet read.
        place: Where, as ``file:line`` or in words.
    """

    value: object
    place: str


@dataclass(frozen=True)
class Flags:
    """Flags of one source.

    Attributes:
        given: By field name.
        kind: The kind that the source names, or None.
        source: Name of the source, for messages.
        recipe_defaults: Whether a flag that is absent had the recipe's default: so for a command, which was
            run as it is, and not for a config, which may be incomplete.
    """

    given: Mapping[str, Given] = field(default_factory=dict)
    kind: Kind | None = None
    source: str = "the command line"
    recipe_defaults: bool = False

    def over(self, other: Flags) -> Flags:
        """These flags, and where they are silent those of another source."""
        return replace(other, given={**other.given, **self.given}, kind=self.kind or other.kind)


@dataclass(frozen=True)
class Resolved:
    """Metadata and where its values come from.

    Attributes:
        metadata: The metadata.
        given: Values that somebody gave, by field name, with their places.
        inferred: Values that were read off the graph.
        assumed: Values that are the recipe's defaults, because its command line did not have the flag.
    """

    metadata: Metadata
    given: Mapping[str, Given]
    inferred: Mapping[str, Fact]
    assumed: Mapping[str, Setting]


def collect(items: Iterable[tuple[str, Given]], *, source: str, recipe_defaults: bool = False) -> Flags:
    """Pick the flags that matter out of names and values.

    Args:
        items: Names as they were written (dashes or underscores, with or without ``--``) and values.
        source: Name of the source.
        recipe_defaults: As in ``Flags``.

    Raises:
        ConfigError: A name is a misspelt flag, a flag has two values, or the kind is unknown.
    """
    given: dict[str, Given] = {}
    kind: Kind | None = None
    for written, item in items:
        name = written.lstrip("-").replace("-", "_").lower()
        if name == "kind":
            kind = _kind(item)
        elif name in FLAG_NAMES:
            before = given.get(name)
            # argparse takes the last of several, a config has no last
            if before is not None and before.value != item.value and not recipe_defaults:
                raise ConfigError(
                    f"{item.place}: {written} is {item.value!r} here and {before.value!r} at {before.place}",
                    hint="leave one of them",
                )
            given[name] = item
        elif name not in OTHER_FLAGS and (near := _nearest(name)):
            raise ConfigError(f"{item.place}: there is no flag {written}", hint=f"did you mean {near}?")
    return Flags(given, kind, source, recipe_defaults)


def require_values(flags: Flags, *, kind: Kind | None = None) -> None:
    """Makes sure of flags what can be told without the graph; nothing can if the kind is open.

    Args:
        flags: The flags.
        kind: The kind, when the user names it.

    Raises:
        ConfigError: A flag belongs to another kind, or has no sensible value.
    """
    kinds = kinds_with(flags.given)
    known = kind or flags.kind or (kinds[0] if len(kinds) == 1 else None)
    if known is not None:
        for name, item in flags.given.items():
            _read(known, name, item)


def resolve(flags: Flags, *, kind: Kind | None = None, shown: Inference | None = None) -> Resolved:
    """Complete flags to metadata: what was given, then what the graph shows, then the recipe's defaults.

    Args:
        flags: The flags.
        kind: The kind, when the user names it.
        shown: What the graph shows, when it may fill gaps.

    Raises:
        ConfigError: The kind is open, a flag is missing, belongs to another kind, or has no sensible value.
        MetadataError: The values do not fit together.
    """
    kind = kind or flags.kind or _decide(flags, shown)
    facts = shown.facts if shown is not None and shown.kind is kind else {}
    values: dict[str, Setting] = {}
    inferred: dict[str, Fact] = {}
    assumed: dict[str, Setting] = {}
    for name, item in flags.given.items():
        values[name] = _read(kind, name, item)
    for each in kind.flags:
        if each.name in values:
            continue
        if each.name in facts:
            inferred[each.name] = facts[each.name]
            values[each.name] = facts[each.name].value
        elif flags.recipe_defaults:
            values[each.name] = assumed[each.name] = each.default
    _refuse_gaps(kind, values, flags, shown)
    return Resolved(of_kind(kind, values), dict(flags.given), inferred, assumed)


def _kind(item: Given) -> Kind:
    kind = named_kind(str(item.value))
    if kind is None:
        known = [each.name for each in KINDS]
        hint = did_you_mean(str(item.value), known) or f"the kinds are {', '.join(known)}"
        raise ConfigError(f"{item.place}: there is no kind {item.value!r}", hint=hint)
    return kind


def _decide(flags: Flags, shown: Inference | None) -> Kind:
    """The kind that the flags belong to, or else that of the graph."""
    kinds = kinds_with(flags.given)
    if len(kinds) == 1:
        return kinds[0]
    if shown is not None and shown.kind in kinds:
        return shown.kind
    hint = f"name it: {', '.join(each.name for each in KINDS)}"
    if shown is not None and shown.kind is None and not flags.given:
        raise ConfigError(f"this is no encoder that sherpa-ncnn knows: {shown.evidence}")
    if not kinds:
        owners = "; ".join(
            f"{kind.name}: {', '.join(mine)}"
            for kind in KINDS
            if (mine := [each.label for each in kind.flags if each.name in flags.given and not _shared(each)])
        )
        raise ConfigError(
            f"{flags.source}: the flags belong to different kinds of model ({owners})", hint=hint
        )
    raise ConfigError(f"{flags.source}: the flags do not tell the kind of the model", hint=hint)


def _shared(field: Field) -> bool:
    return all(kind.field(field.name) for kind in KINDS)


def _read(kind: Kind, name: str, item: Given) -> Setting:
    field = kind.field(name)
    label = f"--{name.replace('_', '-')}"
    if field is None:
        known = ", ".join(each.label for each in kind.flags)
        raise ConfigError(f"{item.place}: {kind.name} models have no {label}", hint=f"its flags are {known}")
    try:
        return field.parse(item.value)
    except ValueError as error:
        raise ConfigError(f"{item.place}: {label} {error}") from None


def _refuse_gaps(kind: Kind, values: Mapping[str, Setting], flags: Flags, shown: Inference | None) -> None:
    missing = [each for each in kind.flags if each.name not in values]
    if not missing:
        return
    labels = ", ".join(each.label for each in missing)
    if shown is None:
        hint = "give them as in the export, or pass --infer to take them from the graph"
    elif shown.kind is not kind:
        hint = f"the graph does not help: it is {shown.kind.name if shown.kind else 'no known encoder'}"
    else:
        hint = "the graph does not show them: " + "; ".join(shown.unknown[each.name] for each in missing)
    raise ConfigError(f"{flags.source} lacks {labels}, which {kind.name} models need", hint=hint)


def _nearest(name: str) -> str | None:
    """The flag that a name is probably meant for: it has nearly its letters, or some of its words."""
    import difflib

    words = set(name.split("_"))
    near = difflib.get_close_matches(name, sorted(FLAG_NAMES), n=1, cutoff=_NEAR)
    near += [flag for flag in sorted(FLAG_NAMES) if len(words) > 1 and words < set(flag.split("_"))]
    return f"--{near[0].replace('_', '-')}" if near else None
