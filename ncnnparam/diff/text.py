"""A diff as plain text, in the manner of ``diff -u``: ``-`` is the first graph, ``+`` the second."""

from __future__ import annotations

from ncnnparam.diff.records import (
    BlobRenamed,
    CountChanged,
    Diff,
    InputChanged,
    InterfaceChanged,
    LayerAdded,
    LayerMoved,
    LayerQuantized,
    LayerRef,
    LayerRemoved,
    LayerRenamed,
    OutputCountChanged,
    ParamChanged,
    Record,
    SpellingChanged,
    TypeChanged,
)
from ncnnparam.syntax import Value, spell


def to_text(diff: Diff, name_a: str, name_b: str) -> str:
    """The diff as text; empty when there is none.

    Each layer that differs has a head ``@@ -LINE +LINE @@ TYPE NAME`` with its line in either file, and
    below it what it says in the first and in the second. The last line counts the differences.
    """
    if not diff:
        return ""
    return "\n".join([f"--- {name_a}", f"+++ {name_b}", *record_lines(diff), f"# {summary(diff)}", ""])


def record_lines(diff: Diff) -> list[str]:
    """The lines about the graphs: heads, and what is below them."""
    lines: list[str] = []
    last_head = ""
    for record in diff.records:
        if isinstance(record, LayerQuantized):
            lines.append(f"{headline(record)}: {record.old} -> {record.new}")
            last_head = ""
            continue
        head = headline(record)
        if head != last_head:
            lines.append(head)
            last_head = head
        old, new = sides(record)
        lines += [f"-{line}" for line in old] + [f"+{line}" for line in new]
    return lines


def summary(diff: Diff) -> str:
    """How many differences of which kind, and how the layers were recognised."""
    counts = ", ".join(_counted(count, kind) for kind, count in diff.counts().items())
    aligned = f"{diff.aligned} layers are in both"
    if diff.by_structure:
        aligned += f", {diff.by_structure} of them under another name"
    return f"{counts or 'no difference'}; {aligned}"


def _counted(count: int, kind: str) -> str:
    """``2`` and ``layer-added`` -> ``2 layers added``."""
    thing, _, verb = kind.replace("-", " ").rpartition(" ")
    return f"{count} {thing}{'' if count == 1 else 's'} {verb}"


def headline(record: Record) -> str:
    """The head of a record, the same for all records of one layer."""
    before, after, title = place(record)
    lines = [f"{sign}{line}" for sign, line in (("-", before), ("+", after)) if line]
    return " ".join(["@@", *lines, "@@", title] if lines else ["@@", title, "@@"])


def place(record: Record) -> tuple[str, str, str]:
    """The lines of a layer in the first and the second file, empty where it has none, and its type and name.

    For what is not about one layer of both graphs, only a title.
    """
    match record:
        case CountChanged():
            return "", "", "header"
        case InterfaceChanged():
            return "", "", "inputs and outputs"
        case LayerAdded():
            return "", "", "added"
        case LayerRemoved():
            return "", "", "removed"
    before, after = record.before, record.after
    renamed = f" (was {before.name})" if before.name != after.name else ""
    return _line(before), _line(after), f"{after.type} {after.name}{renamed}"


def sides(record: Record) -> tuple[list[str], list[str]]:
    """What a record says of the first and of the second graph, a line for each thing."""
    match record:
        case LayerAdded():
            return [], [_layer(record)]
        case LayerRemoved():
            return [_layer(record)], []
        case LayerMoved(old_above=old, new_above=new):
            return [f"stands {_below(old)}"], [f"stands {_below(new)}"]
        case TypeChanged(before=before, after=after, old_params=old, new_params=new):
            return [f"{before.type} {old}".rstrip()], [f"{after.type} {new}".rstrip()]
        case ParamChanged(old=old, new=new):
            name = f"{record.name} ({record.id})" if record.name else f"({record.id})"
            implied = "  (by default)" if record.implied else ""
            return [f"{name} = {_value(old)}{implied}"], [f"{name} = {_value(new)}{implied}"]
        case LayerQuantized(old=old, new=new):
            return [old], [new]
        case SpellingChanged(old=old, new=new):
            return [f"written {old}".rstrip()], [f"written {new}".rstrip()]
        case InputChanged(index=index, old=old, new=new):
            return _some(f"input {index} = {old}", old), _some(f"input {index} = {new}", new)
        case OutputCountChanged(old=old, new=new):
            return [f"outputs = {old}"], [f"outputs = {new}"]
        case InterfaceChanged(direction=direction, old=old, new=new):
            from_old = f" of {record.old_source}" if direction == "output" else ""
            from_new = f" of {record.new_source}" if direction == "output" else ""
            return _some(f"{direction} {old}{from_old}", old), _some(f"{direction} {new}{from_new}", new)
        case CountChanged(what=what, old=old, new=new):
            return [_declared(what, *old)], [_declared(what, *new)]
        case LayerRenamed(before=before, after=after):
            return [f"name = {before.name}"], [f"name = {after.name}"]
        case BlobRenamed(output=output, old=old, new=new):
            return [f"output {output} = {old}"], [f"output {output} = {new}"]


def _some(line: str, thing: object) -> list[str]:
    return [line] if thing is not None else []


def _layer(record: LayerAdded | LayerRemoved) -> str:
    layer = record.layer
    reads = f"reads {', '.join(map(str, record.inputs))}" if record.inputs else ""
    place = f"(line {layer.line})" if layer.line is not None else ""
    return "  ".join(part for part in (f"{layer.type} {layer.name}", record.params, reads, place) if part)


def _line(layer: LayerRef) -> str:
    return "?" if layer.line is None else str(layer.line)


def _below(name: str | None) -> str:
    return "first" if name is None else f"below {name}"


def _declared(what: str, declared: int, true: int) -> str:
    wrong = "" if declared == true else f" (wrong: there are {true})"
    return f"{what} count = {declared}{wrong}"


def _value(value: Value | None) -> str:
    if value is None:
        return "(not stated)"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        return f'"{value}"'
    try:
        return spell(value)
    except ValueError:  # a number no .param file can hold, in a default
        return str(value)
