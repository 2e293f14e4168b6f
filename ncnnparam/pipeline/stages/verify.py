"""Stage ``verify``: the real sherpa-ncnn hears speech, with each storage of the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import FileError
from ncnnparam.pipeline.accuracy import layer_errors
from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.files import Files, pair_roles
from ncnnparam.pipeline.metadata import resolved_metadata
from ncnnparam.pipeline.stage import Facts, Job, Result, Stage
from ncnnparam.pipeline.wavs import usable_wavs, wav_sources
from ncnnparam.speech.nets import NETS

if TYPE_CHECKING:
    from ncnnparam.speech.files import NetFiles
    from ncnnparam.speech.heard import Heard

STORAGES = ("fp32", "fp16", "int8")
TORCH = "torch"
_SHERPA = "sherpa-ncnn"


class Verify(Stage):
    """Decodes wavs with fp32, fp16 and int8, and compares what is heard."""

    name = "verify"
    tools = ("sherpa-ncnn", "ncnn", "torch", "kaldi-native-fbank", "kaldialign")
    modules = (
        ("sherpa_ncnn", "speech"),
        ("soundfile", "speech"),
        ("kaldi_native_fbank", "speech"),
        ("kaldialign", "speech"),
    )

    def unwanted(self, model: Model) -> str:
        """There is no speech, or another runtime is meant."""
        if not model.repair.target.startswith(_SHERPA):
            return f"the target is {model.repair.target}, not {_SHERPA}"
        return "" if model.verify_wavs is not None else "no wavs are named under [verify]"

    def check(self, model: Model) -> None:
        """Looks at the wavs and at their transcripts."""
        super().check(model)
        wavs = _wavs(model)
        transcripts = model.verify.transcripts
        if transcripts is not None:
            if not transcripts.exists():
                raise FileError(
                    f"there is no {transcripts}", hint="transcripts under [verify] names it", code="NP801"
                )
            _transcripts(model, wavs)

    def settings(self, model: Model) -> Any:
        """How many threads."""
        return {"threads": model.verify.threads}

    def reads(self, model: Model, files: Files) -> Iterable[str]:
        """The nets, and the tokens."""
        for storage in _storages(files):
            for part in NETS:
                yield from pair_roles(part, _form(files, part, storage))
        yield "tokens"
        yield from (f"{part}.pt" for part in NETS if _torch(files))

    def sources(self, model: Model, files: Files) -> Mapping[str, Path]:
        """The wavs and their transcripts."""
        texts = model.verify.transcripts
        return {**wav_sources(model.verify_wavs), **({} if texts is None else {"transcripts": texts})}

    def run(self, job: Job) -> Result:
        """Decodes with each storage and counts errors."""
        wavs = _wavs(job.model)
        heard: dict[str, list[Heard]] = {}
        engines = [*_torch(job.files), *_storages(job.files)]
        for number, engine in enumerate(engines):
            heard[engine] = _hear(job, engine, wavs, number * len(wavs), len(engines) * len(wavs))
        facts = _facts(job.model, heard, _transcripts(job.model, wavs))
        if "int8" in heard:
            facts["layers"] = layer_errors(_nets(job.files, "fp32"), _nets(job.files, "int8"), wavs)
        for line in _told(facts):
            job.tell.line(line)
        return Result(facts=facts, problems=list(_differences(heard)))


def _storages(files: Files) -> Iterator[str]:
    """Those in which there is any net."""
    return (storage for storage in STORAGES if any(files.has_pair(part, storage) for part in NETS))


def _form(files: Files, part: str, storage: str) -> str:
    """The storage of a net in a model: where there is no int8 form, fp16 goes with the others."""
    return storage if files.has_pair(part, storage) else "fp16"


def _nets(files: Files, storage: str) -> NetFiles:
    from ncnnparam.speech.files import NetFiles

    return NetFiles(*(files.pair(part, _form(files, part, storage)) for part in NETS))


def _torch(files: Files) -> tuple[str, ...]:
    """PyTorch, if there is TorchScript."""
    return (TORCH,) if all(f"{part}.pt" in files for part in NETS) else ()


def _hear(job: Job, engine: str, wavs: Sequence[str], done: int, total: int) -> list[Heard]:
    """What an engine hears: sherpa-ncnn with a storage of the model, or PyTorch."""
    from ncnnparam.model import load
    from ncnnparam.speech import sherpa, torchscript
    from ncnnparam.speech.files import ModelFiles

    def advance(heard: Heard) -> None:
        nonlocal done
        done += 1
        job.tell.advance(done, total)

    tokens, threads = str(job.files["tokens"].path), job.model.verify.threads
    if engine == TORCH:
        scripts = torchscript.TorchFiles(*(str(job.files[f"{part}.pt"].path) for part in NETS))
        graph = load(job.files["encoder.fp32.param"].path).graph
        metadata = resolved_metadata(job.model, graph).metadata
        return torchscript.decode(scripts, metadata, tokens, wavs, threads=threads, advance=advance)
    model = ModelFiles(_nets(job.files, engine), tokens)
    return sherpa.decode(model, wavs, threads=threads, advance=advance)


def _differences(heard: Mapping[str, Sequence[Heard]]) -> Iterator[str]:
    """What fp32 hears otherwise than PyTorch: the same numbers should give the same text."""
    for right, found in zip(heard.get(TORCH, ()), heard["fp32"], strict=False):
        pairs = enumerate(zip_longest(right.tokens, found.tokens), 1)
        first = next((number for number, (one, two) in pairs if one != two), None)
        if first is not None:
            yield (
                f"{Path(right.name).name}: sherpa-ncnn with fp32 hears something else than PyTorch from "
                f"token {first} of {len(right.tokens)} on; the report has both texts"
            )


def _told(facts: Facts) -> Iterator[str]:
    """How each engine did, in a line."""
    errors = {row["engine"]: row for row in facts["word_errors"]}
    for speed in facts["speeds"]:
        engine = speed["engine"]
        rate = errors.get(engine)
        wrong = f"{rate['errors']} of {rate['words']} words wrong, " if rate is not None else ""
        yield f"{engine}: {wrong}real-time factor {speed['seconds'] / speed['audio']:.3f}"


def _wavs(model: Model) -> list[str]:
    """The wavs; of those that are for calibration, bad ones may be left out here too."""
    assert model.verify_wavs is not None
    skip_bad = model.verify.wavs is None and model.calibrate.skip_bad
    return [str(path) for path in usable_wavs(model.verify_wavs, skip_bad=skip_bad)]


def _transcripts(model: Model, wavs: Sequence[str]) -> dict[str, str]:
    from ncnnparam.speech.transcripts import read_transcripts

    return {} if model.verify.transcripts is None else read_transcripts(model.verify.transcripts, wavs)


def _facts(model: Model, heard: Mapping[str, Sequence[Heard]], texts: Mapping[str, str]) -> Facts:
    from ncnnparam.pipeline.report.facts import peaks_of
    from ncnnparam.speech.audio import read_wav
    from ncnnparam.speech.error_rate import word_errors

    first = next(iter(heard.values()))
    utterances = [
        {
            "wav": Path(one.name).name,
            "seconds": one.audio_seconds,
            "texts": {engine: found[place].text for engine, found in heard.items()},
            "transcript": texts.get(Path(one.name).stem),
            "peaks": peaks_of(read_wav(Path(one.name))),
        }
        for place, one in enumerate(first)
    ]
    errors = {
        engine: word_errors({one.name: one.text for one in found}, texts)
        for engine, found in heard.items()
        if texts
    }
    return {
        "utterances": utterances,
        "word_errors": [
            {"engine": engine, "errors": rate.errors, "words": rate.length} for engine, rate in errors.items()
        ],
        "speeds": [
            {
                "engine": engine,
                "audio": sum(one.audio_seconds for one in found),
                "seconds": sum(one.seconds for one in found),
                "threads": model.verify.threads,
            }
            for engine, found in heard.items()
        ],
    }
