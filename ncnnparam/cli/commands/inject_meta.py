"""``ncnnparam inject-meta``: adds SherpaMetaData to an encoder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from ncnnparam.cli.common import edit_options, finish_edit, max_size_option, read_model, say
from ncnnparam.speech.flags import FLAG_NAMES, KINDS, Kind, named_kind

if TYPE_CHECKING:
    from ncnnparam.graph import Graph
    from ncnnparam.model import Model
    from ncnnparam.speech.given import Flags, Resolved
    from ncnnparam.speech.metadata import Metadata

BESIDE_THE_MODEL = "beside the model"


def _flag_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds an option for every flag of the three kinds that becomes metadata, in the order of the tables."""
    names = dict.fromkeys(field.name for kind in KINDS for field in kind.flags)
    for name in reversed(names):
        owners = [kind for kind in KINDS if kind.field(name)]
        many = any(field.many for kind in owners if (field := kind.field(name)))
        option = click.option(
            f"--{name.replace('_', '-')}",
            name,
            metavar="N,N,..." if many and len(owners) == 1 else "N",
            help=f"icefall's flag ({', '.join(kind.name for kind in owners)}).",
        )
        command = option(command)
    return command


@click.command(name="inject-meta", context_settings={"show_default": False})
@click.argument("model", metavar="MODEL", required=False)
@click.option(
    "--from-config",
    "config",
    is_flag=False,
    flag_value=BESIDE_THE_MODEL,
    metavar="[PATH]",
    help="Take the flags from a config, from the script or command that ran export-for-ncnn.py, or from its "
    "log. Without PATH: ncnnparam.toml, .yaml or .json beside the model, or in the working folder.",
)
@click.option("--infer", is_flag=True, help="Take what is not given from the graph itself.")
@click.option("--kind", "kind_name", metavar="KIND", help=f"{', '.join(kind.name for kind in KINDS)}.")
@_flag_options
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set a key to what the layer shall hold, for example --set 15=1. May be repeated.",
)
@click.option("--replace", is_flag=True, help="Overwrite other metadata that is there.")
@click.option("--force", is_flag=True, help="Inject even what contradicts the graph.")
@edit_options
@max_size_option
def command(
    model: str | None,
    config: str | None,
    infer: bool,
    kind_name: str | None,
    settings: tuple[str, ...],
    replace: bool,
    force: bool,
    max_size: int,
    **options: Any,
) -> int:
    """Add the SherpaMetaData layer that sherpa-ncnn needs to an encoder.

    All values are those of icefall's flags, as they were given to export-for-ncnn.py; what the layer stores
    divided (--left-context-length) is divided here. The metadata are compared with the graph first, and
    refused with both numbers when they disagree. Doing it twice changes nothing.

    \b
    ncnnparam inject-meta encoder.ncnn.param --from-config
    ncnnparam inject-meta encoder.ncnn.param --from-config export.sh
    ncnnparam inject-meta encoder.ncnn.param --infer
    ncnnparam inject-meta encoder.ncnn.param --kind lstm --num-encoder-layers 12 \\
        --encoder-dim 512 --rnn-hidden-size 1024 -o with-meta.param
    """
    from ncnnparam.speech.infer import infer as infer_metadata
    from ncnnparam.speech.inject import inject
    from ncnnparam.speech.metadata import describe

    if model is None:
        eaten = config is not None and config.endswith(".param")
        raise click.UsageError("MODEL stands before --from-config" if eaten else "Missing argument 'MODEL'.")
    flags = {name: options.pop(name) for name in sorted(FLAG_NAMES)}
    kind = _kind(kind_name)
    target = read_model(model, max_size)
    shown = infer_metadata(target.graph)
    given = _given(target, config, flags, infer)
    resolved = _resolved(given, kind, shown if infer else None)
    metadata = _with_settings(resolved.metadata, settings)
    _refuse_contradictions(metadata, target.graph, shown, force=force)
    injection = inject(target.graph, metadata, replace=replace)
    before, after = target.graph.declared, (target.graph.layer_count, target.graph.blob_count)
    finish_edit(target, **options)
    say(f"{'would be ' if options['dry_run'] else ''}{injection.action.value}: {describe(metadata)}")
    _report(resolved, injection.changes)
    if before is not None and before != after:
        say(f"  layers {before[0]} -> {after[0]}, blobs {before[1]} -> {after[1]}")
    return 0


def _kind(name: str | None) -> Kind | None:
    if name is None:
        return None
    kind = named_kind(name)
    if kind is None:
        raise click.BadParameter(f"'{name}'; the kinds are {', '.join(kind.name for kind in KINDS)}")
    return kind


def _given(model: Model, config: str | None, flags: dict[str, str | None], infer: bool) -> Flags:
    """The flags of the command line, and behind them those of the config."""
    from ncnnparam.speech.config import find_config, read_config
    from ncnnparam.speech.given import Given, collect

    items = [(name, Given(value, "the command line")) for name, value in flags.items() if value is not None]
    given = collect(items, source="the command line")
    if config is not None:
        path = find_config(model.path) if config == BESIDE_THE_MODEL else config
        return given.over(read_config(path))
    if not items and not infer:
        raise click.UsageError("say where the values are: --from-config, icefall's flags, or --infer")
    return given


def _resolved(flags: Flags, kind: Kind | None, shown: Any) -> Resolved:
    from ncnnparam.speech.given import resolve

    return resolve(flags, kind=kind, shown=shown)


def _with_settings(metadata: Metadata, settings: Iterable[str]) -> Metadata:
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.strip().isdecimal():
            raise click.BadParameter(f"'{setting}' is not of the form KEY=VALUE", param_hint="--set")
        metadata = metadata.with_key(int(key), value)
    return metadata


def _refuse_contradictions(metadata: Metadata, graph: Graph, shown: Any, *, force: bool) -> None:
    from ncnnparam.errors import MetadataError
    from ncnnparam.speech.verify import verify

    found = verify(metadata, graph, shown=shown)
    lines = [f"{item}{f' ({item.hint})' if item.hint else ''}" for item in found]
    if found and not force:
        text = "\n  ".join(["the metadata contradict the graph:", *lines])
        raise MetadataError(text, hint="correct the flags; --force injects them all the same")
    for line in lines:
        say(f"warning: {line}")


def _report(resolved: Resolved, changes: tuple[str, ...]) -> None:
    for change in changes:
        say(f"  before: {change}")
    for name, fact in resolved.inferred.items():
        say(f"  --{name.replace('_', '-')} from the graph: {fact.evidence}")
    for name in resolved.assumed:
        say(f"  --{name.replace('_', '-')} was not given: the recipe's default")
