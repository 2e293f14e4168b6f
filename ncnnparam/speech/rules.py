"""Check rules for speech metadata: what sherpa-ncnn would refuse, crash on, or silently mistake."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ncnnparam.checks.finding import Severity
from ncnnparam.checks.place import N_INPUTS, NAME, TYPE, at_param, at_word
from ncnnparam.checks.rule import Problem, Rule, rule
from ncnnparam.errors import MetadataError
from ncnnparam.speech.evidence import Inference
from ncnnparam.speech.flags import KINDS, ZIPFORMER, Kind, Setting, numbered_kind, spell
from ncnnparam.speech.infer import infer
from ncnnparam.speech.inject import NCNN_IDS, metadata_layers
from ncnnparam.speech.metadata import LAYER_NAME, LAYER_TYPE, read_key
from ncnnparam.speech.verify import compare

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer

_VERSION_KEY = 15


@rule("NP301", "metadata-name", Severity.ERROR)
def metadata_name(graph: Graph) -> Iterator[Problem]:
    """A SherpaMetaData layer has a name under which sherpa-ncnn does not look for it."""
    for layer in metadata_layers(graph):
        if layer.name != LAYER_NAME:
            yield Problem(
                f"sherpa-ncnn does not find metadata in a layer named '{layer.name}'",
                at_word(layer, NAME),
                f"name it {LAYER_NAME}",
            )


@rule("NP302", "metadata-blobs", Severity.ERROR)
def metadata_blobs(graph: Graph) -> Iterator[Problem]:
    """A SherpaMetaData layer has inputs or outputs."""
    for layer in metadata_layers(graph):
        if layer.inputs or layer.outputs:
            counts = f"{len(layer.inputs)} inputs and {len(layer.outputs)} outputs"
            yield Problem(
                f"the metadata layer '{layer.name}' has {counts}",
                at_word(layer, N_INPUTS),
                "its counts are 0 0",
            )


@rule("NP303", "metadata-repeated", Severity.ERROR)
def metadata_repeated(graph: Graph) -> Iterator[Problem]:
    """There is more than one SherpaMetaData layer."""
    layers = metadata_layers(graph)
    for layer in layers[1:]:
        place = f"line {layers[0].line}" if layers[0].line else f"the layer '{layers[0].name}'"
        yield Problem(
            f"there is a {LAYER_TYPE} in {place} already",
            at_word(layer, TYPE),
            "keep one, sherpa-ncnn reads one",
        )


@rule("NP304", "metadata-kind", Severity.ERROR)
def metadata_kind(graph: Graph) -> Iterator[Problem]:
    """Key 0 of the metadata names no kind of model that sherpa-ncnn knows."""
    known = ", ".join(f"{kind.number} for {kind.name}" for kind in KINDS)
    for layer in metadata_layers(graph):
        if numbered_kind(layer.params.get(0)) is None:
            said = f"is {layer.params[0]}" if 0 in layer.params else "is missing"
            yield Problem(f"key 0, the kind of model, {said}", at_param(layer, 0), f"it is {known}")


@rule("NP305", "metadata-missing-key", Severity.ERROR)
def metadata_missing_key(graph: Graph) -> Iterator[Problem]:
    """The metadata lack a key of their kind, which sherpa-ncnn then reads as 0."""
    for layer, kind in _known(graph):
        missing = [
            field for field in kind.fields if field.key not in layer.params and field.key != _VERSION_KEY
        ]
        if missing:
            keys = ", ".join(f"{field.key} ({field.label})" for field in missing)
            yield Problem(
                f"{kind.name} metadata lack key {keys}",
                at_word(layer),
                "sherpa-ncnn reads them as 0",
            )


@rule("NP306", "metadata-extra-key", Severity.WARNING)
def metadata_extra_key(graph: Graph) -> Iterator[Problem]:
    """The metadata have a key that their kind does not use."""
    for layer, kind in _known(graph):
        used = {0, *NCNN_IDS, *(field.key for field in kind.fields)}
        for id in layer.params:
            if id not in used:
                yield Problem(
                    f"key {id} means nothing in {kind.name} metadata",
                    at_param(layer, id),
                    f"its keys are 0, {', '.join(str(field.key) for field in kind.fields)}",
                )


@rule("NP307", "metadata-key-type", Severity.ERROR)
def metadata_key_type(graph: Graph) -> Iterator[Problem]:
    """A key of the metadata holds a value of the wrong type."""
    for layer, kind in _known(graph):
        for field in kind.fields:
            if field.key in layer.params:
                try:
                    read_key(field, layer.params[field.key])
                except MetadataError as error:
                    yield Problem(error.message, at_param(layer, field.key))


@rule("NP308", "metadata-version", Severity.ERROR)
def metadata_version(graph: Graph) -> Iterator[Problem]:
    """The metadata of a Zipformer have no version, or version 0, which sherpa-ncnn 2.0 and newer refuse."""
    for layer, kind in _known(graph):
        version = layer.params.get(_VERSION_KEY, 0)
        if kind is ZIPFORMER and isinstance(version, int) and version < 1:
            yield Problem(
                "sherpa-ncnn 2.0 and newer refuse a zipformer whose key 15, the version, is not 1",
                at_param(layer, _VERSION_KEY),
                "add 15=1 if the graph is a new export, else export it again",
            )


@rule("NP309", "metadata-contradiction", Severity.ERROR)
def metadata_contradiction(graph: Graph) -> Iterator[Problem]:
    """The metadata say something else than the graph."""
    shown = infer(graph) if metadata_layers(graph) else Inference(None, "not asked")
    for layer, kind in _known(graph):
        for found in compare(kind, _values(layer, kind), shown):
            right = f"write {found.key}={spell(found.right)}" if isinstance(found.right, int) else None
            hint = f"{found.hint}: {right}" if found.hint else right
            yield Problem(str(found), at_param(layer, found.key), hint)


@rule("NP310", "metadata-absent", Severity.INFO)
def metadata_absent(graph: Graph) -> Iterator[Problem]:
    """An encoder has no metadata, without which sherpa-ncnn cannot load it."""
    if not metadata_layers(graph):
        kind = infer(graph).kind
        if kind is not None:
            yield Problem(
                f"this {kind.name} encoder has no {LAYER_TYPE} layer; sherpa-ncnn cannot use it without",
                hint="ncnnparam inject-meta adds it",
            )


RULES: tuple[Rule, ...] = (
    metadata_name,
    metadata_blobs,
    metadata_repeated,
    metadata_kind,
    metadata_missing_key,
    metadata_extra_key,
    metadata_key_type,
    metadata_version,
    metadata_contradiction,
    metadata_absent,
)


def _known(graph: Graph) -> list[tuple[Layer, Kind]]:
    """The metadata layers whose kind is known."""
    layers = metadata_layers(graph)
    return [(layer, kind) for layer in layers if (kind := numbered_kind(layer.params.get(0))) is not None]


def _values(layer: Layer, kind: Kind) -> dict[str, Setting]:
    """The values of a layer as far as they are there and of the right type."""
    found: dict[str, Setting] = {}
    for field in kind.fields:
        if field.key in layer.params:
            try:
                found[field.name] = read_key(field, layer.params[field.key])
            except MetadataError:
                continue
    return found
