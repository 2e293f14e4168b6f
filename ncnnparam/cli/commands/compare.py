"""``ncnnparam compare``: how far a model is from another one, on data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import click

from ncnnparam.cli.accuracy import form_or_default, print_layers, print_summary, print_texts
from ncnnparam.cli.common import FOUND, emit, emit_json, ops_option
from ncnnparam.cli.data import (
    NETS,
    about_items,
    html_option,
    nets_options,
    npy_option,
    report_option,
    skip_bad_option,
    tell_skipped,
    tokens_option,
    top_option,
    transcripts_option,
    wavs_option,
    write_page,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ncnnparam.quantize.accuracy import Accuracy
    from ncnnparam.quantize.accuracy_transducer import TransducerAccuracy
    from ncnnparam.quantize.data import Items
    from ncnnparam.speech.files import NetFiles

ENOUGH = 20.0
"""SQNR in dB that is taken for the same where the user does not say one: an error of 1 % of the power."""
_PAIRS, _SCRIPT_AND_PAIR = 4, 3

Pairs: TypeAlias = "tuple[tuple[str, str], ...]"


@click.command(
    name="compare", epilog="Exit codes: 0 the same, or near enough; 1 worse; 2 what cannot be compared."
)
@click.argument("files", metavar="[A.param A.bin|A.pt B.param B.bin]", nargs=-1, type=click.Path())
@npy_option
@nets_options("The .param and .bin of the {net}: A's, then B's; once if they share it.", multiple=True)
@wavs_option("for transducers")
@tokens_option
@transcripts_option
@click.option(
    "--min-sqnr",
    type=click.FloatRange(-200, 200),
    metavar="DB",
    help="The same is what has this SQNR at every output; by default 20, of transducers the same texts.",
)
@click.option(
    "--order",
    type=click.Choice(("worst", "graph")),
    default="worst",
    show_default=True,
    help="The worst layers first, or those that compute first.",
)
@top_option
@html_option("the error along the layers, and all layers, worst first")
@skip_bad_option
@report_option
@ops_option
def command(**options: Any) -> int:
    """Run two models on the same data, and tell how far B is from A, layer by layer.

    SQNR is the power of A's numbers over that of the error, in dB. Beside that of a layer's output stand the
    lowest one of what it reads, and the one it would have if it read A's numbers: its own error.

    Transducers run chunk by chunk, each with its own states and its own text. If A is a TorchScript file,
    PyTorch runs it, and the outputs are compared.

    \b
    ncnnparam compare m.param m.bin int8.param int8.bin --npy inputs/
    ncnnparam compare m.param m.bin int8.param int8.bin --npy list.txt --order graph --top 0
    ncnnparam compare encoder.pt encoder.param encoder.bin --npy inputs/
    ncnnparam compare --encoder e.param e.bin --encoder e8.param e8.bin --decoder d.param d.bin \\
      --joiner j.param j.bin --joiner j8.param j8.bin --wavs wavs.txt --tokens tokens.txt
    """
    if any(options[name] for name in (*NETS, "wavs", "tokens", "transcripts")):
        return _transducers(options)
    from ncnnparam.runtime.torchscript import is_torchscript

    files = options["files"]
    is_script = len(files) == _SCRIPT_AND_PAIR and is_torchscript(files[0])
    return _script(options) if is_script else _nets(options)


def _nets(options: dict[str, Any]) -> int:
    from ncnnparam.model import load
    from ncnnparam.quantize.accuracy import compare_nets
    from ncnnparam.quantize.arrays import npy_items

    files = options["files"]
    if len(files) != _PAIRS or not options["npy"]:
        raise click.UsageError(
            "name A.param A.bin B.param B.bin and --npy, or --encoder, --decoder, --joiner and --wavs, "
            "or a TorchScript file and B.param B.bin"
        )
    first, second = (files[0], files[1]), (files[2], files[3])
    items = npy_items(options["npy"], [blob.name for blob in load(*first).graph.inputs])
    accuracy = _run(items, options, lambda advance: compare_nets(first, second, items.good, advance=advance))
    return _judge(accuracy, items, options)


def _script(options: dict[str, Any]) -> int:
    """Compares what PyTorch and ncnn compute."""
    from ncnnparam.model import load
    from ncnnparam.quantize.accuracy_script import compare_script, random_items
    from ncnnparam.quantize.arrays import npy_items

    script, *second = options["files"]
    inputs = [blob.name for blob in load(*second).graph.inputs]
    items = npy_items(options["npy"], inputs) if options["npy"] else random_items(script, inputs)
    accuracy = _run(
        items,
        options,
        lambda advance: compare_script(script, (second[0], second[1]), items.good, advance=advance),
    )
    return _judge(accuracy, items, options)


def _judge(accuracy: Accuracy, items: Items, options: dict[str, Any]) -> int:
    """Reports how far two nets are apart, and whether that is near enough."""
    _write_page({"": accuracy}, options)
    least = ENOUGH if options["min_sqnr"] is None else options["min_sqnr"]
    same = accuracy.sqnr >= least
    form = form_or_default(options["form"])
    if form == "json":
        emit_json({"same": same, "min_sqnr": least, **about_items(items), **accuracy.to_json()})
    else:
        _print_net(accuracy, options, form)
        _verdict(same, f"{least:g} dB at every output", len(items.good))
    return 0 if same else FOUND


def _transducers(options: dict[str, Any]) -> int:
    from ncnnparam.optional import need
    from ncnnparam.quantize.accuracy_transducer import compare_transducers, prepare, require_same_chunks
    from ncnnparam.quantize.wavs import wav_items
    from ncnnparam.speech.streaming import shortest

    if options["files"] or options["npy"]:
        raise click.UsageError(
            "for transducers name --encoder, --decoder, --joiner and --wavs, and no others"
        )
    if not options["wavs"]:
        raise click.UsageError("transducers also need --wavs")
    if options["transcripts"] and not options["tokens"]:
        raise click.UsageError("--transcripts has words: give --tokens too, to make words of tokens")
    one, two = _files(options)
    for package in ("kaldi_native_fbank", "kaldialign"):
        need(package, "speech")
    first, second = prepare(one), prepare(two)
    require_same_chunks(first.how, second.how)
    items = wav_items(options["wavs"], shortest(first.how))
    names = _names(items, options)
    accuracy = _run(
        items, options, lambda advance: compare_transducers(first, second, items.good, advance=advance)
    )
    least = options["min_sqnr"]
    _write_page(accuracy.nets, options)
    same = accuracy.same_texts if least is None else accuracy.sqnr >= least
    _report(accuracy, items, options, same, names)
    return 0 if same else FOUND


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
    from ncnnparam.speech.tokens import read_tokens
    from ncnnparam.speech.transcripts import read_transcripts

    words = read_tokens(options["tokens"]) if options["tokens"] else {}
    if not options["transcripts"]:
        return words, None
    return words, read_transcripts(options["transcripts"], [item.name for item in items.good])


def _run(items: Items, options: dict[str, Any], run: Callable[[Callable[[int], None]], Any]) -> Any:
    """Runs the items with a progress bar, and tells which ones are left out."""
    from ncnnparam.cli.progress import progress_bar

    if not options["skip_bad"]:
        items.require_good()
    with progress_bar("comparing", len(items.good)) as advance:
        found = run(advance)
    tell_skipped(items)
    return found


def _write_page(nets: dict[str, Accuracy], options: dict[str, Any]) -> None:
    if options["html"]:
        from ncnnparam.quantize.accuracy_page import accuracy_page

        write_page(options["html"], accuracy_page(nets))


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
        _print_net(net, options, form)
    emit("@@ texts @@\n")
    lines = {name: "".join(f"  {which}: {texts[which][name]}\n" for which in texts) for name in texts["A"]}
    print_texts(accuracy.utterances, tokens, wrong, lines if words else dict.fromkeys(lines, ""))
    least = options["min_sqnr"]
    wanted = "the same texts" if least is None else f"{least:g} dB at every output of the encoder"
    _verdict(same, wanted, len(items.good))


def _print_net(accuracy: Accuracy, options: dict[str, Any], form: str) -> None:
    if accuracy.layers:  # of TorchScript only outputs are known
        print_layers(accuracy, top=options["top"], worst_first=options["order"] == "worst", form=form)
    print_summary(accuracy)


def _verdict(same: bool, wanted: str, runs: int) -> None:
    emit(f"# B {'is' if same else 'is not'} near enough to A over {runs} items; wanted: {wanted}\n")
