"""``ncnnparam compare`` for transducers: nets and texts, or the texts of PyTorch and ncnn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import click

from ncnnparam.cli.accuracy import form_or_default, print_texts
from ncnnparam.cli.common import FOUND, emit, emit_json
from ncnnparam.cli.comparison import print_net, run_items, tell_verdict, write_accuracy_page
from ncnnparam.cli.data import NETS, about_items, warn_of_leftovers

if TYPE_CHECKING:
    from ncnnparam.quantize.accuracy_transducer import TransducerAccuracy
    from ncnnparam.quantize.data import Items
    from ncnnparam.speech.files import NetFiles

Pairs: TypeAlias = "tuple[tuple[str, str], ...]"


def compare_transducers_of(options: dict[str, Any]) -> int:
    """Compares two transducers, or one with its TorchScript files; returns the exit code."""
    from ncnnparam.optional import need
    from ncnnparam.quantize.accuracy_transducer import compare_transducers, prepare, require_same_chunks
    from ncnnparam.quantize.wavs import wav_items
    from ncnnparam.speech.streaming import shortest

    scripts = options["files"]
    if (scripts and not _are_scripts(scripts)) or options["npy"]:
        raise click.UsageError(
            "for transducers name --encoder, --decoder, --joiner and --wavs, and no others, or before them "
            "the three TorchScript files of A"
        )
    if not options["wavs"]:
        raise click.UsageError("transducers also need --wavs")
    if options["transcripts"] and not options["tokens"]:
        raise click.UsageError("--transcripts has words: give --tokens too, to make words of tokens")
    for package in ("kaldi_native_fbank", "kaldialign"):
        need(package, "speech")
    if scripts:
        return _scripts(options)
    one, two = _files(options)
    first, second = prepare(one), prepare(two)
    warn_of_leftovers(dict.fromkeys((*one, *two)))
    require_same_chunks(first.how, second.how)
    items = wav_items(options["wavs"], shortest(first.how))
    names = _names(items, options)
    accuracy = run_items(
        items, options, lambda advance: compare_transducers(first, second, items.good, advance=advance)
    )
    least = options["min_sqnr"]
    write_accuracy_page(accuracy.nets, options)
    same = accuracy.same_texts if least is None else accuracy.sqnr >= least
    _report(accuracy, items, options, same, names)
    return 0 if same else FOUND


def _scripts(options: dict[str, Any]) -> int:
    """Compares what PyTorch and ncnn hear."""
    from ncnnparam.quantize.accuracy_scripts import compare_scripts
    from ncnnparam.quantize.accuracy_transducer import prepare
    from ncnnparam.quantize.wavs import wav_items
    from ncnnparam.speech.files import NetFiles
    from ncnnparam.speech.streaming import shortest
    from ncnnparam.speech.torchscript import TorchFiles

    if any(len(options[name]) != 1 for name in NETS):
        raise click.UsageError("beside TorchScript files name --encoder, --decoder and --joiner once, for B")
    if not options["tokens"]:
        raise click.UsageError("beside TorchScript files --tokens is needed")
    if options["min_sqnr"] is not None or options["html"]:
        raise click.UsageError(
            "of three TorchScript files texts are compared; --min-sqnr and --html look at the numbers of a "
            "net: ncnnparam compare encoder.pt encoder.param encoder.bin"
        )
    nets = NetFiles(*(options[name][0] for name in NETS))
    second = prepare(nets)
    warn_of_leftovers(nets)
    items = wav_items(options["wavs"], shortest(second.how))
    names = _names(items, options)
    files = TorchFiles(*options["files"])
    accuracy = run_items(
        items,
        options,
        lambda advance: compare_scripts(files, options["tokens"], second, items.good, advance=advance),
    )
    _report(accuracy, items, options, accuracy.same_texts, names)
    return 0 if accuracy.same_texts else FOUND


def _are_scripts(files: tuple[str, ...]) -> bool:
    from ncnnparam.runtime.torchscript import is_torchscript

    return len(files) == len(NETS) and all(map(is_torchscript, files))


def _files(options: dict[str, Any]) -> tuple[NetFiles, NetFiles]:
    """The files of both transducers."""
    from ncnnparam.speech.files import NetFiles

    sides = []
    for name in NETS:
        pairs: Pairs = options[name]
        if not 1 <= len(pairs) <= 2:
            raise click.UsageError(f"give --{name} twice, for A and for B, or once if they share it")
        sides.append((pairs[0], pairs[-1]))
    if all(first == second for first, second in sides):
        raise click.UsageError("A and B are the same files: give --encoder, --decoder or --joiner twice")
    one, two = zip(*sides, strict=True)
    return NetFiles(*one), NetFiles(*two)


def _names(items: Items, options: dict[str, Any]) -> tuple[dict[int, str], dict[str, str] | None]:
    """The words of tokens, and the transcripts: read before the work begins."""
    from ncnnparam.speech.files import read_words_of
    from ncnnparam.speech.transcripts import read_transcripts

    words: dict[int, str] = {}
    for joiner, _ in options["joiner"] if options["tokens"] else ():  # of A and of B, or of both
        words = read_words_of(options["tokens"], joiner)
    if not options["transcripts"]:
        return words, None
    return words, read_transcripts(options["transcripts"], [item.name for item in items.good])


def _report(
    accuracy: TransducerAccuracy,
    items: Items,
    options: dict[str, Any],
    same: bool,
    names: tuple[dict[int, str], dict[str, str] | None],
) -> None:
    from ncnnparam.speech.error_rate import word_errors
    from ncnnparam.speech.tokens import to_text

    words, transcripts = names
    texts = {
        which: {one.name: to_text(getattr(one, side), words) for one in accuracy.utterances}
        for which, side in (("A", "first"), ("B", "second"))
    }
    tokens = accuracy.token_errors
    wrong = {which: word_errors(heard, transcripts) for which, heard in texts.items()} if transcripts else {}
    form = form_or_default(options["form"])
    if form == "json":
        utterances = [
            {
                "name": one.name,
                "same": one.first == one.second,
                "first": list(one.first),
                "second": list(one.second),
                "texts": [texts["A"][one.name], texts["B"][one.name]] if words else None,
            }
            for one in accuracy.utterances
        ]
        rates = {which: errors.to_json() for which, errors in wrong.items()}
        emit_json(
            {
                "same": same,
                "min_sqnr": options["min_sqnr"],
                **about_items(items),
                "utterances": utterances,
                "token_errors": tokens.to_json(),
                "word_errors": rates or None,
                "nets": {name: net.to_json() for name, net in accuracy.nets.items()},
            }
        )
        return
    for name, net in accuracy.nets.items():
        emit(f"@@ {name} @@\n")
        print_net(net, options, form)
    emit("@@ texts @@\n")
    lines = {name: "".join(f"  {which}: {texts[which][name]}\n" for which in texts) for name in texts["A"]}
    print_texts(accuracy.utterances, tokens, wrong, lines if words else dict.fromkeys(lines, ""))
    least = options["min_sqnr"]
    wanted = "the same texts" if least is None else f"{least:g} dB at every output of the encoder"
    tell_verdict(same, wanted, len(items.good))
