"""Writes a config for what lies in a folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ncnnparam.errors import ConfigError, FileError
from ncnnparam.speech.audio import ENDINGS
from ncnnparam.speech.nets import NETS

QUESTIONS = {
    "encoder": "TorchScript of the encoder (*_jit_trace-pnnx.pt)?",
    "decoder": "TorchScript of the decoder?",
    "joiner": "TorchScript of the joiner?",
    "bpe-model": "bpe.model?",
    "wavs": "Folder of wavs to calibrate on?",
    "transcripts": "File with what is said in them?",
}
"""What is asked if it is not found."""

_LARGEST = 1 << 20
"""Bytes of a script or log that is looked at."""
_MOST = 10_000
"""Files that are looked at."""
_HIDDEN = ("out", "__pycache__")
_TRANSCRIPTS = ("transcripts.txt", "text", "trans.txt")


@dataclass
class Found:
    """What lies in a folder.

    Attributes:
        answers: Paths as they go into the config, by what they are.
        kind: Kind of the model, or empty.
        flags: Flags of the export, by name.
        notes: What was found where.
    """

    answers: dict[str, str] = field(default_factory=dict)
    kind: str = ""
    flags: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def search(folder: Path, seen_from: Path) -> Found:
    """Looks for the parts of a model.

    Args:
        folder: Where to look, in its folders too.
        seen_from: The folder that paths in the config are seen from.

    Raises:
        FileError: There is no such folder.
    """
    if not folder.is_dir():
        raise FileError(f"there is no folder {folder}", code="NP801")
    found = Found()
    files = list(_files(folder))

    def take(what: str, path: Path) -> None:
        if what not in found.answers:
            found.answers[what] = Path(os.path.relpath(path, seen_from)).as_posix()
            found.notes.append(f"{what}: {found.answers[what]}")

    for path in files:
        name = path.name
        part = next((part for part in NETS if name.startswith(part)), None)
        if part is not None and name.endswith("-pnnx.pt"):
            take(part, path)
        elif name == "bpe.model":
            take("bpe-model", path)
        elif name == "tokens.txt":
            take("tokens", path)
        elif path.suffix.lower() in ENDINGS:
            take("wavs", path.parent)
        elif name in _TRANSCRIPTS:
            take("transcripts", path)
        elif path.suffix == ".pt":
            take("checkpoint", path)
    _read_flags(files, found)
    return found


def _files(folder: Path) -> Iterator[Path]:
    count = 0
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _HIDDEN)
        for name in sorted(names):
            count += 1
            if count > _MOST:
                return
            yield Path(here, name)


def _read_flags(files: list[Path], found: Found) -> None:
    """The flags in the first script or log that tells them."""
    from ncnnparam.speech.config import read_config

    for path in files:
        if path.suffix not in (".sh", ".log", ".txt") and "log" not in path.name:
            continue
        try:
            if path.stat().st_size > _LARGEST:
                continue
            flags = read_config(path)
        except (ConfigError, FileError, OSError):
            continue
        found.flags = {name: item.value for name, item in flags.given.items()}
        found.kind = flags.kind.name if flags.kind is not None else ""
        found.notes.append(f"flags of the export: {path}")
        return


def render(found: Found) -> str:
    """The config, with a comment on everything."""
    answers = found.answers
    traced = all(part in answers for part in NETS)
    lines = [
        "# What ncnnparam pipeline run works on; docs/pipeline.md has all keys.",
        "# Paths are seen from this file's folder.",
        "",
        "[model]",
        "# conv-emformer, lstm or zipformer; the graph tells it if it is left out",
        _line("kind", found.kind, "lstm"),
        "# Flags of icefall's export. Those left out are read off the graph; one that contradicts it",
        "# is an error.",
        *(f"{name.replace('_', '-')} = {_value(value)}" for name, value in found.flags.items()),
        *([] if found.flags else ["# num-encoder-layers = 12"]),
        "",
        "[trace]",
        "# files: TorchScript is there; icefall: its export is run; factory: a function makes the modules;",
        "# converted: what pnnx wrote is there.",
        f'how = "{"files" if traced or "checkpoint" not in answers else "factory"}"',
        *(_line(part, answers.get(part, ""), f"{part}_jit_trace-pnnx.pt") for part in NETS),
        '# factory = "package.module:function"   # with how = "factory"',
        _line("checkpoint", "" if traced else answers.get("checkpoint", ""), "pretrained.pt"),
        '# checkout = "icefall"                  # with how = "icefall"',
        '# recipe = "lstm_transducer_stateless2"',
        '# flags = { epoch = 99, avg = 1, exp-dir = "exp" }',
        "",
        "[tokens]",
        _line("bpe-model", answers.get("bpe-model", ""), "bpe.model"),
        _line("tokens", "" if "bpe-model" in answers else answers.get("tokens", ""), "tokens.txt"),
        "",
        "[repair]",
        'target = "sherpa-ncnn"                  # or ncnn, or a release such as sherpa-ncnn-2.1.15',
        "",
        "[calibrate]",
        _line("wavs", answers.get("wavs", ""), "wavs"),
        'method = "mse"                          # or kl, aciq, percentile, minmax',
        "",
        "[quantize]",
        "encoder = true",
        "joiner = true",
        '# skip = "name=conv_0"                  # layers that stay in float (docs/selectors.md)',
        "",
        "[verify]",
        '# wavs = "test"                         # those of [calibrate] by default',
        _line("transcripts", answers.get("transcripts", ""), "transcripts.txt"),
        "",
        "[output]",
        'folder = "out"',
    ]
    return "".join(f"{line}\n" for line in lines)


def _line(key: str, value: str, example: str) -> str:
    """A key with its value, or as a comment with an example."""
    return f"{key} = {_value(value)}" if value else f"# {key} = {_value(example)}"


def _value(value: object) -> str:
    """A value in the TOML language."""
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False)
