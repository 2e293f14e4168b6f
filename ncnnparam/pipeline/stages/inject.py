"""Stage ``inject``: the encoder gets its metadata."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import MetadataError
from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.files import Files
from ncnnparam.pipeline.stage import Job, Result, Stage

if TYPE_CHECKING:
    from ncnnparam.graph import Graph
    from ncnnparam.model import Model as WithText
    from ncnnparam.speech.given import Resolved

_ROLES = ("encoder.fp32.param", "encoder.fp16.param")


class Inject(Stage):
    """Puts SherpaMetaData into the encoder; flags that contradict it are an error."""

    name = "inject"
    does = "puts the metadata into the encoder"

    def settings(self, model: Model) -> Any:
        """The flags."""
        return {"kind": model.kind, **{flag.name: flag.value for flag in model.flags}}

    def reads(self, model: Model, files: Files) -> Iterable[str]:
        """The encoder's graph."""
        return _ROLES

    def run(self, job: Job) -> Result:
        """Completes the flags by what the graph shows, compares both, and puts them in."""
        from ncnnparam.graph import correct_counts
        from ncnnparam.model import dump, load
        from ncnnparam.speech import inject
        from ncnnparam.speech.metadata import describe

        result = Result()
        for role in _ROLES:
            model = load(job.files[role].path)
            resolved = _resolved(job.model, model.graph)
            injection = inject(model.graph, resolved.metadata, replace=True)
            correct_counts(model.graph)
            result.files[role] = job.folder / f"{role.removesuffix('.param')}.ncnn.param"
            dump(model, result.files[role])
        result.facts = {
            "action": injection.action.value,
            "kind": resolved.metadata.kind.name,
            "flags": describe(resolved.metadata),
            "line": _line(model),
            "inferred": sorted(resolved.inferred),
            "layers": model.graph.layer_count,
            "blobs": model.graph.blob_count,
        }
        job.tell.line(describe(resolved.metadata))
        return result


def _line(model: WithText) -> str:
    """The layer as it stands in the file."""
    from ncnnparam.model import dumps
    from ncnnparam.speech.metadata import LAYER_TYPE

    return next(line for line in dumps(model).splitlines() if line.startswith(LAYER_TYPE))


def _resolved(model: Model, graph: Graph) -> Resolved:
    """The metadata that the config and the graph give.

    Raises:
        ConfigError: Something is missing that neither tells.
        MetadataError: They contradict each other.
    """
    from ncnnparam.speech import Given, collect, infer, named_kind, resolve, verify

    shown = infer(graph)
    given = collect(
        ((flag.name, Given(flag.value, flag.place)) for flag in model.flags), source=str(model.file)
    )
    resolved = resolve(given, kind=named_kind(model.kind) if model.kind else None, shown=shown)
    found = verify(resolved.metadata, graph, shown=shown)
    if found:
        lines = [f"{item}{f' ({item.hint})' if item.hint else ''}" for item in found]
        raise MetadataError(
            "\n  ".join(["the metadata contradict the graph:", *lines]),
            hint=f"correct the flags under [model] in {model.file}, or leave them out: the graph shows them",
        )
    return resolved
