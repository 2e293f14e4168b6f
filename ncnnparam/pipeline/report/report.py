"""All that is told of one model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ncnnparam.pipeline.report.facts import (
    Change,
    Command,
    Counts,
    ErrorRate,
    FileSize,
    Histogram,
    LayerError,
    Proof,
    Repair,
    Speed,
    Stage,
    Utterance,
)

VERSION = 1
"""Goes up when a field of ``report.json`` changes its name or meaning; new fields may come without."""


@dataclass(frozen=True)
class Report:
    """What a run of the pipeline made and found. What a run has not done is left empty.

    Attributes:
        model: Name of the model.
        kind: Kind of its encoder: ``conv-emformer``, ``lstm`` or ``zipformer``.
        target: What shall run it.
        tools: Versions of what was used, by name.
        stages: In their order.
        problems: What the user should look at, although the run went through.
        sizes: Of the files, net by net.
        counts: Layers and blobs of each net.
        repairs: What was mended.
        proofs: Numbers compared with PyTorch's.
        metadata: The encoder's ``SherpaMetaData`` line, or empty.
        changes: What became of the graphs.
        layers: Errors in int8, the worst first.
        histograms: What calibration saw, the layers in the order of the graph.
        utterances: What was heard.
        word_errors: How often it was wrong.
        speeds: How fast it was.
        commands: Command lines that use the result.
        version: Of this form.
    """

    model: str
    kind: str = ""
    target: str = ""
    tools: Mapping[str, str] = field(default_factory=dict)
    stages: tuple[Stage, ...] = ()
    problems: tuple[str, ...] = ()
    sizes: tuple[FileSize, ...] = ()
    counts: tuple[Counts, ...] = ()
    repairs: tuple[Repair, ...] = ()
    proofs: tuple[Proof, ...] = ()
    metadata: str = ""
    changes: tuple[Change, ...] = ()
    layers: tuple[LayerError, ...] = ()
    histograms: tuple[Histogram, ...] = ()
    utterances: tuple[Utterance, ...] = ()
    word_errors: tuple[ErrorRate, ...] = ()
    speeds: tuple[Speed, ...] = ()
    commands: tuple[Command, ...] = ()
    version: int = VERSION

    @property
    def seconds(self) -> float:
        """How long all stages took, those of earlier runs with them."""
        return sum(stage.seconds or 0.0 for stage in self.stages)

    @property
    def engines(self) -> tuple[str, ...]:
        """Who has heard something, in the order of the first wav, then of the others."""
        return tuple(dict.fromkeys(engine for one in self.utterances for engine in one.texts))
