"""Stage ``verify``: the real sherpa-ncnn hears speech, with each storage of the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import FileError
from ncnnparam.pipeline.accuracy import layer_errors
from ncnnparam.pipeline.config import PARTS, Model
from ncnnparam.pipeline.files import Files, pair_roles
from ncnnparam.pipeline.stage import Facts, Job, Result, Stage
from ncnnparam.pipeline.wavs import require_wavs, wav_sources

if TYPE_CHECKING:
    from ncnnparam.speech.files import NetFiles
    from ncnnparam.speech.heard import Heard

STORAGES = ("fp32", "fp16", "int8")
_SHERPA = "sherpa-ncnn"


class Verify(Stage):
    """Decodes wavs with fp32, fp16 and int8, and compares what is heard."""

    name = "verify"
    tools = ("sherpa-ncnn", "ncnn", "kaldi-native-fbank", "kaldialign")
    modules = (
        ("sherpa_ncnn", "speech"),
        ("soundfile", "speech"),
        ("kaldi_native_fbank", "speech"),
        ("kaldialign", "speech"),
    )
    does = "has the real sherpa-ncnn hear speech"

    def unwanted(self, model: Model) -> str:
        """There is no speech, or another runtime is meant."""
        if not model.repair.target.startswith(_SHERPA):
            return f"the target is {model.repair.target}, not {_SHERPA}"
        return "" if model.verify_wavs is not None else "no wavs are named under [verify]"

    def check(self, model: Model) -> None:
        """Looks at the wavs and at their transcripts."""
        super().check(model)
        assert model.verify_wavs is not None
        require_wavs(model.verify_wavs)
        transcripts = model.verify.transcripts
        if transcripts is not None:
            if not transcripts.exists():
                raise FileError(f"there is no {transcripts}", hint="transcripts under [verify] names it")
            _transcripts(model)

    def settings(self, model: Model) -> Any:
        """How many threads."""
        return {"threads": model.verify.threads}

    def reads(self, model: Model, files: Files) -> Iterable[str]:
        """The nets, and the tokens."""
        for storage in _storages(files):
            for part in PARTS:
                yield from pair_roles(part, _form(files, part, storage))
        yield "tokens"

    def sources(self, model: Model, files: Files) -> Mapping[str, Path]:
        """The wavs and their transcripts."""
        texts = model.verify.transcripts
        return {**wav_sources(model.verify_wavs), **({} if texts is None else {"transcripts": texts})}

    def run(self, job: Job) -> Result:
        """Decodes with each storage and counts errors."""
        wavs = [str(path) for path in wav_sources(job.model.verify_wavs).values()]
        heard: dict[str, list[Heard]] = {}
        storages = list(_storages(job.files))
        for number, storage in enumerate(storages):
            heard[storage] = _hear(job, storage, wavs, number, len(storages))
        facts = _facts(job.model, heard)
        if "int8" in heard:
            facts["layers"] = layer_errors(_nets(job.files, "fp32"), _nets(job.files, "int8"), wavs)
        for line in _told(facts):
            job.tell.line(line)
        return Result(facts=facts)


def _storages(files: Files) -> Iterator[str]:
    """Those in which there is any net."""
    return (storage for storage in STORAGES if any(files.has_pair(part, storage) for part in PARTS))


def _form(files: Files, part: str, storage: str) -> str:
    """The storage of a net in a model: where there is no int8 form, fp16 goes with the others."""
    return storage if files.has_pair(part, storage) else "fp16"


def _nets(files: Files, storage: str) -> NetFiles:
    from ncnnparam.speech.files import NetFiles

    return NetFiles(*(files.pair(part, _form(files, part, storage)) for part in PARTS))


def _hear(job: Job, storage: str, wavs: Sequence[str], number: int, models: int) -> list[Heard]:
    from ncnnparam.speech.files import ModelFiles
    from ncnnparam.speech.sherpa import decode

    done = number * len(wavs)

    def advance(heard: Heard) -> None:
        nonlocal done
        done += 1
        job.tell.advance(done, models * len(wavs))

    model = ModelFiles(_nets(job.files, storage), str(job.files["tokens"].path))
    return decode(model, wavs, threads=job.model.verify.threads, advance=advance)


def _told(facts: Facts) -> Iterator[str]:
    """How each engine did, in a line."""
    errors = {row["engine"]: row for row in facts["word_errors"]}
    for speed in facts["speeds"]:
        engine = speed["engine"]
        rate = errors.get(engine)
        wrong = f"{rate['errors']} of {rate['words']} words wrong, " if rate is not None else ""
        yield f"{engine}: {wrong}real-time factor {speed['seconds'] / speed['audio']:.3f}"


def _transcripts(model: Model) -> dict[str, str]:
    from ncnnparam.speech.transcripts import read_transcripts

    if model.verify.transcripts is None:
        return {}
    wavs = wav_sources(model.verify_wavs).values()
    return read_transcripts(model.verify.transcripts, map(str, wavs))


def _facts(model: Model, heard: Mapping[str, Sequence[Heard]]) -> Facts:
    from ncnnparam.pipeline.report.facts import peaks_of
    from ncnnparam.speech.audio import read_wav
    from ncnnparam.speech.error_rate import word_errors

    texts = _transcripts(model)
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
