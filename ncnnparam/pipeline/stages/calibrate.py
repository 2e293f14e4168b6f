"""Stage ``calibrate``: the scales of int8, from speech."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import ConfigError
from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.files import Files, pair_roles
from ncnnparam.pipeline.stage import Job, Result, Stage
from ncnnparam.pipeline.wavs import usable_wavs, wav_sources
from ncnnparam.speech.nets import NETS

if TYPE_CHECKING:
    from ncnnparam.quantize.calibrate import Part
    from ncnnparam.quantize.data import Items
    from ncnnparam.quantize.runners import TransducerRunner
    from ncnnparam.quantize.statistics import Statistics
    from ncnnparam.quantize.table import Table

_BINS = 64
"""Bins of the histograms in the report."""


class Calibrate(Stage):
    """Runs the model on speech and makes the tables of encoder and joiner."""

    name = "calibrate"
    tools = ("ncnn", "kaldi-native-fbank")
    modules = (("ncnn", "runtime"), ("kaldi_native_fbank", "speech"), ("soundfile", "speech"))

    def unwanted(self, model: Model) -> str:
        """Nothing is to be int8."""
        return "" if model.quantize.parts else "nothing is to be int8"

    def check(self, model: Model) -> None:
        """Looks at the wavs before hours of work begin."""
        super().check(model)
        wavs = model.calibrate.wavs
        if wavs is None:
            raise ConfigError(
                f"{model.name}: int8 needs speech to calibrate on",
                hint=f"name a folder in {model.file} under [calibrate], wavs = ..., or set encoder = false "
                "and joiner = false under [quantize]",
            )
        usable_wavs(wavs, skip_bad=model.calibrate.skip_bad)

    def settings(self, model: Model) -> Any:
        """The method."""
        how = model.calibrate
        percent = {"percent": how.percent} if how.method == "percentile" else {}
        return {"method": how.method, "skip-bad": how.skip_bad, **percent}

    def reads(self, model: Model, files: Files) -> Iterable[str]:
        """The nets with float32 weights."""
        for part in NETS:
            yield from pair_roles(part, "fp32")

    def sources(self, model: Model, files: Files) -> Mapping[str, Path]:
        """The wavs."""
        return wav_sources(model.calibrate.wavs)

    def run(self, job: Job) -> Result:
        """Collects statistics, going on from those of a run that was killed, and makes tables of them."""
        from ncnnparam.quantize.calibrate import prepare_transducer
        from ncnnparam.quantize.thresholds import METHODS, percentile
        from ncnnparam.quantize.wavs import wav_items
        from ncnnparam.speech.streaming import shortest, streaming

        pairs = (job.files.pair(part, "fp32") for part in NETS)
        runner, encoder, joiner = prepare_transducer(*pairs, digests=True)
        assert job.model.calibrate.wavs is not None
        items = wav_items(job.model.calibrate.wavs, shortest(streaming(runner.metadata)))
        if not job.model.calibrate.skip_bad:
            items.require_good()
        statistics, bad = _collect(runner, items, job)
        method = job.model.calibrate.method
        how = partial(percentile, percent=job.model.calibrate.percent) if method == "percentile" else None
        result = Result(problems=[f"{name} was left out: {why}" for name, why in bad.items()])
        result.facts = {
            "method": method,
            "items": len(statistics.items),
            "skipped": bad,
            "rows": {},
            "histograms": [],
        }
        for part in (encoder, joiner):
            table = part.table(statistics, method, how or METHODS[method])
            result.files[f"{part.net}.table"] = job.folder / f"{part.net}.table"
            table.save(result.files[f"{part.net}.table"])
            result.facts["rows"][part.net] = len(table)
            result.facts["histograms"] += _histograms(part, statistics, table, method)
            dead = part.dead(statistics)
            if dead:
                result.problems.append(f"{part.net}: the inputs of {', '.join(dead)} were always 0")
        return result


def _histograms(part: Part, statistics: Statistics, table: Table, method: str) -> list[dict[str, Any]]:
    """What the layers read, coarsely."""
    from ncnnparam.quantize.thresholds import LARGEST

    found = []
    for layer in part.layers:
        histogram, scale = part.histogram(layer, statistics), table.input_scale(layer.name)
        threshold = {} if scale is None or not scale[0] else {method: LARGEST / float(scale[0])}
        found.append(
            {
                "net": part.net,
                "layer": layer.name,
                "absmax": histogram.absmax,
                "counts": [round(count, 1) for count in histogram.linear(_BINS).tolist()],
                "thresholds": threshold,
            }
        )
    return found


def _collect(runner: TransducerRunner, items: Items, job: Job) -> tuple[Statistics, dict[str, str]]:
    """What was seen, and what could not be."""
    from ncnnparam.quantize.collect import collect, missing_items
    from ncnnparam.quantize.statistics import Statistics

    file = job.keep / "statistics.npz"
    statistics = Statistics.load(file) if file.exists() else Statistics()
    missing = missing_items(items.good, statistics)
    if statistics.items:
        job.tell.line(f"{len(statistics.items)} of {len(items.good)} wavs were seen before an interruption")
    total, done = len(missing), 0

    def advance(amount: int) -> None:
        nonlocal done
        done += amount
        job.tell.advance(done, total)

    bad = collect(
        runner,
        missing,
        statistics,
        jobs=job.jobs,
        skip_bad=job.model.calibrate.skip_bad,
        save=lambda seen: seen.save(file),
        advance=advance,
    )
    return statistics, items.bad | bad
