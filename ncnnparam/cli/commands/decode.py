"""``ncnnparam decode``: what a model hears in wavs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ncnnparam.cli.common import PATH, emit, emit_json, format_option
from ncnnparam.cli.data import tell_skipped, warn_of_leftovers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ncnnparam.speech.files import ModelFiles
    from ncnnparam.speech.heard import Heard

ENGINES = ("ncnn", "sherpa")
METHODS = ("greedy", "modified-beam")


def _pair(name: str) -> Callable[[Any], Any]:
    return click.option(
        f"--{name}",
        nargs=2,
        type=PATH,
        metavar="P B",
        help=f"The .param and .bin of the {name}, in place of a MODEL_DIR.",
    )


@click.command(name="decode", epilog="Exit codes: 0 all were decoded; 2 some could not be, or trouble.")
@click.argument("words", metavar="[MODEL_DIR] WAV...", nargs=-1, type=PATH)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="ncnn",
    show_default=True,
    help="What runs the model: ncnn's Python package, or the real sherpa-ncnn.",
)
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="greedy",
    show_default=True,
    help="How tokens are searched.",
)
@click.option(
    "--beam",
    type=click.IntRange(min=1, max=1000),
    default=4,
    show_default=True,
    help="Texts that modified-beam follows.",
)
@click.option("--int8", is_flag=True, help="Take the nets in MODEL_DIR that end in .int8.param.")
@_pair("encoder")
@_pair("decoder")
@_pair("joiner")
@click.option("--tokens", metavar="FILE", type=PATH, help="The tokens.txt that goes with them.")
@click.option(
    "--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads for each net."
)
@click.option(
    "--tail",
    type=click.FloatRange(0, 60),
    metavar="SECONDS",
    default=0.3,
    show_default=True,
    help="Silence to put behind a wav, so that its last word comes out.",
)
@click.option(
    "--transcripts",
    metavar="FILE",
    type=PATH,
    help="What is said, for word error rates: on each line the name of a wav and the text.",
)
@click.option("--skip-bad", is_flag=True, help="Exit with 0 although some wavs could not be decoded.")
@format_option
def command(words: tuple[str, ...], **options: Any) -> int:
    """Tell what a speech model hears in wavs.

    MODEL_DIR has the six files and the tokens.txt that sherpa-ncnn uses. WAV is a .wav or .flac file of
    16 kHz and one channel, a folder of such files, or a list of them. On a terminal the text shows while it
    grows.

    \b
    ncnnparam decode model/ a.wav b.wav
    ncnnparam decode model/ wavs/ --engine sherpa --int8 --transcripts said.txt
    ncnnparam decode model/ a.wav --method modified-beam --beam 8 --format json
    """
    from ncnnparam.quantize.data import cannot_be_used
    from ncnnparam.speech.transcripts import read_transcripts

    model, sources = _model(words, options)
    good, bad = _wavs(sources)
    transcripts = read_transcripts(options["transcripts"], map(str, good)) if options["transcripts"] else None
    warn_of_leftovers(model.nets)
    heard = _decode(model, good, options)
    if options["skip_bad"]:
        tell_skipped(bad)
    if options["form"] == "json":
        _emit_json(heard, bad, transcripts, options)
    elif transcripts is not None:
        _print_errors(heard, transcripts)
    if bad and not options["skip_bad"]:
        raise cannot_be_used(bad, len(good) + len(bad), "with --skip-bad it is no error")
    return 0


def _model(words: Sequence[str], options: dict[str, Any]) -> tuple[ModelFiles, Sequence[str]]:
    """The model's files, and what the wavs are named by."""
    from ncnnparam.speech.files import ModelFiles, NetFiles, find_model
    from ncnnparam.speech.nets import NETS

    named = [name for name in (*NETS, "tokens") if options[name]]
    if named:
        missing = [f"--{name}" for name in (*NETS, "tokens") if not options[name]]
        if missing:
            raise click.UsageError(f"without a MODEL_DIR also give {', '.join(missing)}")
        if options["int8"]:
            raise click.UsageError("--int8 is for a MODEL_DIR; name the int8 files")
        model, sources = ModelFiles(NetFiles(*(options[net] for net in NETS)), options["tokens"]), words
    else:
        if not words:
            raise click.UsageError("name a MODEL_DIR and wavs")
        model, sources = find_model(words[0], int8=options["int8"]), words[1:]
    if not sources:
        raise click.UsageError("name wavs")
    return model, sources


def _wavs(sources: Sequence[str]) -> tuple[list[Path], dict[str, str]]:
    """The wavs that can be decoded, and why others cannot."""
    from ncnnparam.errors import BadItemError
    from ncnnparam.quantize.data import list_files
    from ncnnparam.speech.audio import ENDINGS, read_wav

    good: list[Path] = []
    bad: dict[str, str] = {}
    for path in (path for source in sources for path in list_files(source, ENDINGS)):
        try:
            read_wav(path)
        except BadItemError as error:
            bad[str(path)] = error.message
        else:
            good.append(path)
    return good, bad


def _decode(model: ModelFiles, wavs: Sequence[Path], options: dict[str, Any]) -> list[Heard]:
    """Decodes the wavs, and prints each text as soon as it is there."""
    from ncnnparam.cli.live import live_text
    from ncnnparam.cli.progress import progress_bar
    from ncnnparam.speech.audio import read_wav
    from ncnnparam.speech.streaming import SAMPLE_RATE

    chosen = {name: options[name] for name in ("method", "beam", "threads")}
    tail = round(options["tail"] * SAMPLE_RATE)
    heard: list[Heard] = []

    def tell(one: Heard) -> None:
        if options["form"] == "text":
            emit(f"{one.name}\t{one.text}\n")

    if options["engine"] == "sherpa":
        from ncnnparam.speech import sherpa

        with progress_bar("decoding", len(wavs)) as advance:
            heard = sherpa.decode(model, wavs, tail=tail, advance=lambda one: advance(1), **chosen)
        for one in heard:
            tell(one)
        return heard
    from ncnnparam.speech.recognizer import Recognizer

    with Recognizer(model, **chosen) as recognizer:
        for wav in wavs:
            with live_text(str(wav)) as update:
                samples = read_wav(wav)
                heard.append(
                    recognizer.hear(str(wav), samples, tail=tail, partial=lambda stream: update(stream.text))
                )
            tell(heard[-1])
    return heard


def _print_errors(heard: Sequence[Heard], transcripts: dict[str, str]) -> None:
    """Prints a table of word error rates, the wavs one by one and all together."""
    from ncnnparam.cli.accuracy import rate
    from ncnnparam.cli.table import print_table
    from ncnnparam.speech.error_rate import word_errors

    rows = []
    for one in heard:
        errors = word_errors({one.name: one.text}, transcripts)
        rows.append((one.name, errors.errors, errors.length, f"{one.rtf:.3f}"))
    print_table(("wav", "errors", "words", "RTF"), rows, right=("errors", "words", "RTF"))
    emit(f"word error rate: {rate(word_errors({one.name: one.text for one in heard}, transcripts))}\n")


def _emit_json(
    heard: Sequence[Heard],
    bad: dict[str, str],
    transcripts: dict[str, str] | None,
    options: dict[str, Any],
) -> None:
    from ncnnparam.speech.error_rate import word_errors

    texts = {one.name: one.text for one in heard}
    emit_json(
        {
            "engine": options["engine"],
            "method": options["method"],
            "heard": [{**one.to_json(), "rtf": one.rtf} for one in heard],
            "skipped": [{"item": name, "why": why} for name, why in bad.items()],
            "word_errors": None if transcripts is None else word_errors(texts, transcripts).to_json(),
        }
    )
