"""Stage ``assemble``: the output folder, laid out as sherpa-ncnn's models are."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.files import Files, pair_roles
from ncnnparam.pipeline.links import link
from ncnnparam.pipeline.stage import Job, Result, Stage
from ncnnparam.pipeline.wavs import wav_sources
from ncnnparam.speech.nets import NETS
from ncnnparam.syntax import write_atomic

TOKENS = "tokens.txt"
COMMANDS = "commands.txt"
FULL = "fp32"
"""Folder of the fp32 models."""


class Assemble(Stage):
    """Puts the files where users look for them; nothing is copied if the disk has links."""

    name = "assemble"

    def settings(self, model: Model) -> Any:
        """What is to be there."""
        return {"fp32": model.output.fp32, "folder": str(model.output.folder), "wav": _wav(model)}

    def reads(self, model: Model, files: Files) -> Iterable[str]:
        """What is laid out."""
        return layout(model, files).values()

    def run(self, job: Job) -> Result:
        """Links the files into the output folder, and removes those of other settings."""
        out, result = job.model.output.folder, Result()
        wanted = layout(job.model, job.files)
        for name, role in wanted.items():
            place = out / name
            place.parent.mkdir(parents=True, exist_ok=True)
            link(job.files[role].path, place)
            result.files[name] = place
        for name in set(_possible()) - set(wanted):
            (out / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            (out / FULL).rmdir()  # if it is empty
        wav = _wav(job.model)
        write_atomic(job.folder / COMMANDS, _commands(wanted.keys(), wav))
        link(job.folder / COMMANDS, out / COMMANDS)
        result.files[COMMANDS] = out / COMMANDS
        result.facts = {
            "folder": str(out),
            "files": {name: (out / name).stat().st_size for name in wanted},
            "commands": command_lines(wanted.keys(), wav),
        }
        return result


def file_name(part: str, storage: str, ending: str) -> str:
    """The name of a file in the output folder: ``encoder_jit_trace-pnnx.ncnn.int8.param``."""
    form = ".int8" if storage == "int8" else ""
    name = f"{part}_jit_trace-pnnx.ncnn{form}.{ending}"
    return f"{FULL}/{name}" if storage == FULL else name


def layout(model: Model, files: Files) -> dict[str, str]:
    """The names in the output folder, and the roles of what stands there."""
    storages = ["fp16", "int8", *([FULL] if model.output.fp32 else [])]
    found = {
        file_name(part, storage, ending): role
        for storage in storages
        for part in NETS
        if files.has_pair(part, storage)
        for ending, role in zip(("param", "bin"), pair_roles(part, storage), strict=True)
    }
    return {**found, TOKENS: "tokens"}


def _possible() -> Iterator[str]:
    for storage in ("fp16", "int8", FULL):
        for part in NETS:
            yield from (file_name(part, storage, ending) for ending in ("param", "bin"))


def command_lines(names: Collection[str], wav: str) -> dict[str, str]:
    """Command lines that run the model, seen from its folder, by what they do.

    Args:
        names: The files in the folder.
        wav: Speech.
    """
    found = {}
    for title, flag in (("fp16", ""), ("int8", " --int8")):
        nets = [
            file_name(part, title if file_name(part, title, "param") in names else "fp16", ending)
            for part in NETS
            for ending in ("param", "bin")
        ]
        if title == "int8" and not any(".int8." in net for net in nets):
            continue
        files = " ".join((TOKENS, *nets))
        found[f"{title}, with sherpa-ncnn's program"] = (
            f"sherpa-ncnn {files} {shlex.quote(wav)} 4 greedy_search"
        )
        found[f"{title}, with ncnnparam"] = f"ncnnparam decode{flag} --engine sherpa . {shlex.quote(wav)}"
    return found


def _commands(names: Collection[str], wav: str) -> str:
    lines = ["Run in this folder. The wav has 16 kHz and one channel; 4 is the number of threads."]
    for what, line in command_lines(names, wav).items():
        lines += ["", f"{what}:", line]
    return "\n".join([*lines, ""])


def _wav(model: Model) -> str:
    """Speech for the command lines: the first wav that is named."""
    return str(next(iter(wav_sources(model.verify_wavs).values()), "some.wav"))
