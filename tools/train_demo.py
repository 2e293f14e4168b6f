"""Train the two recognisers in `examples/` on synthetic speech.

    python tools/train_demo.py [--output FOLDER] [--work FOLDER] [--utterances N] [--only KIND]

Needs the program espeak-ng (1.51 made the shipped models), torch, sentencepiece, kaldi-native-fbank,
kaldialign and soundfile. Nine hours of speech are made first and kept in the work folder, then both models
train at the same time with one thread each, and are measured on voices that training never heard:

    bpe.model               the word pieces
    speech/                 recordings to try the models with, and to calibrate with
    conv-emformer/model.pt  sizes and weights of the ConvEmformer
    lstm/model.pt           those of the LSTM model
    figures.json            hours of speech, minutes, parameters, word error rates

All seeds are fixed. Other versions of torch or espeak-ng, or another processor, give other weights.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples"))

from demo_training import corpus, shipped, tokens
from demo_training.loop import Plan, train
from demo_training.recognise import errors_by_voice, word_error_rate
from demo_transducer.conv_emformer import ConvEmformer, ConvEmformerSizes
from demo_transducer.lstm import LstmEncoder, LstmSizes
from demo_transducer.transducer import Transducer

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
PLANS = {"conv-emformer": Plan(epochs=3), "lstm": Plan(epochs=4)}
"""How each model is trained; they take about as long as each other."""

UTTERANCES, TEST_UTTERANCES = 14_000, 600
GLANCE = 60
"""Utterances of the test that are looked at after each epoch."""
SEED, TEST_SEED, SHIPPED_SEED = 1, 2, 3


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Train the recognisers in examples/ on synthetic speech.")
    parser.add_argument("--output", type=Path, default=EXAMPLES)
    parser.add_argument("--work", type=Path, default=EXAMPLES.parent / "build" / "train_demo")
    parser.add_argument("--utterances", type=int, default=UTTERANCES)
    parser.add_argument("--only", choices=PLANS)
    arguments = parser.parse_args()

    started = time.monotonic()
    output: Path = arguments.output
    output.mkdir(parents=True, exist_ok=True)
    tokens.train(output / "bpe.model", SEED)
    shipped.write(output / "speech", SHIPPED_SEED)
    heard = corpus.training(arguments.utterances, SEED, arguments.work)
    test = corpus.test(TEST_UTTERANCES, TEST_SEED)
    figures: dict[str, Any] = {
        "hours of speech": round(heard.hours, 1),
        "minutes for speech": minutes(started),
    }
    kinds = [arguments.only] if arguments.only else list(PLANS)
    # Forked processes share the speech; what a pool is given would be copied.
    fork = multiprocessing.get_context("fork")
    processes = [
        fork.Process(target=train_one, args=(kind, heard, test, output, arguments.work)) for kind in kinds
    ]
    for process in processes:
        process.start()
    for kind, process in zip(kinds, processes, strict=True):
        process.join()
        if process.exitcode:
            raise SystemExit(f"train_demo: the training of {kind} ended with status {process.exitcode}")
        figures[kind] = json.loads((arguments.work / f"{kind}.json").read_text(encoding="utf-8"))
    figures["minutes in all"] = minutes(started)
    write(figures, output / "figures.json")
    print(json.dumps(figures, indent=2))
    return 0


def train_one(kind: str, heard: corpus.Corpus, test: corpus.Corpus, output: Path, work: Path) -> None:
    """Train one model, write its checkpoint into `output` after each epoch, and its figures into `work`."""
    warnings.filterwarnings("ignore", message="LSTM with projections is not supported with oneDNN")
    torch.set_num_threads(1)
    started = time.monotonic()
    pieces = tokens.load(output / "bpe.model")
    model = make(kind)
    said = [torch.tensor(pieces.encode(text)) for text in heard.texts]
    glance = corpus.Corpus(test.texts[:GLANCE], test.voices[:GLANCE], test.features[:GLANCE])
    checkpoint = output / kind / "model.pt"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)

    def after_epoch(epoch: int, loss: float) -> None:
        rate = word_error_rate(errors_by_voice(model.eval(), glance, pieces.decode).values())
        print(f"{kind}: epoch {epoch}, {minutes(started)} min, loss {loss:.3f}, WER {rate:.1f} %", flush=True)
        sizes = asdict(model.encoder.sizes)
        torch.save({"sizes": sizes, "vocabulary": tokens.VOCABULARY, "model": model.state_dict()}, checkpoint)

    train(model, heard, said, PLANS[kind], after_epoch)
    trained = minutes(started)
    counts = errors_by_voice(model.eval(), test, pieces.decode)
    figures = {
        "minutes": trained,
        "parameters": sum(each.numel() for each in model.parameters()),
        "word error rate": round(word_error_rate(counts.values()), 2),
        "by voice": {voice: round(word_error_rate([count]), 2) for voice, count in counts.items()},
    }
    write(figures, work / f"{kind}.json")


def make(kind: str) -> Transducer:
    """An untrained model, the same each time."""
    torch.manual_seed(SEED)
    encoder = ConvEmformer(ConvEmformerSizes()) if kind == "conv-emformer" else LstmEncoder(LstmSizes())
    return Transducer(encoder, tokens.VOCABULARY)


def write(figures: dict[str, Any], path: Path) -> None:
    """Write figures as JSON."""
    path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def minutes(since: float) -> float:
    """Minutes since a moment, to a tenth."""
    return round((time.monotonic() - since) / 60, 1)


if __name__ == "__main__":
    raise SystemExit(main())
