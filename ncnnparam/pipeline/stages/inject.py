"""Stage ``inject``: the encoder gets its metadata."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.files import Files
from ncnnparam.pipeline.metadata import require_flags, resolved_metadata
from ncnnparam.pipeline.stage import Job, Result, Stage
from ncnnparam.pipeline.stages.tokens import token_source

if TYPE_CHECKING:
    from ncnnparam.model import Model as WithText

_ROLES = ("encoder.fp32.param", "encoder.fp16.param")


class Inject(Stage):
    """Puts SherpaMetaData into the encoder; contradicting flags, and tokens that do not fit, are errors."""

    name = "inject"

    def check(self, model: Model) -> None:
        """Looks at the flags, as far as that goes without the graph."""
        super().check(model)
        require_flags(model)

    def settings(self, model: Model) -> Any:
        """The flags."""
        return {"kind": model.kind, **{flag.name: flag.value for flag in model.flags}}

    def reads(self, model: Model, files: Files) -> Iterable[str]:
        """The encoder's graph; the joiner's and the tokens, which must fit."""
        return (*_ROLES, "joiner.fp32.param", "tokens")

    def run(self, job: Job) -> Result:
        """Completes the flags by what the graph shows, compares both, and puts them in."""
        from ncnnparam.export import read_tokens
        from ncnnparam.graph import correct_counts
        from ncnnparam.model import dump, load
        from ncnnparam.speech import inject
        from ncnnparam.speech.metadata import describe
        from ncnnparam.speech.tokens import require_fit

        tokens = read_tokens(job.files["tokens"].path)
        source = token_source(job.model) or tokens.source
        require_fit(tokens.words, source, load(job.files["joiner.fp32.param"].path).graph)
        result = Result()
        for role in _ROLES:
            if result.files and job.files[role].sha256 == job.files[_ROLES[0]].sha256:
                result.files[role] = result.files[_ROLES[0]]
                continue
            model = load(job.files[role].path)
            resolved = resolved_metadata(job.model, model.graph)
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
