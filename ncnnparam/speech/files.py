"""The files of a model as sherpa-ncnn uses it: three nets and ``tokens.txt``, in one folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ncnnparam.errors import FileError, unreadable
from ncnnparam.model import load
from ncnnparam.speech.nets import NETS
from ncnnparam.speech.tokens import read_tokens, require_fit
from ncnnparam.syntax.foreign import recognise_weights

TOKENS = "tokens.txt"
_INT8 = ".int8"
_HEAD = 4096
"""Bytes that tell what a file is."""


class NetFiles(NamedTuple):
    """The files of a transducer: ``.param`` and ``.bin`` of each net."""

    encoder: tuple[str, str]
    decoder: tuple[str, str]
    joiner: tuple[str, str]


@dataclass(frozen=True)
class ModelFiles:
    """What a recogniser needs.

    Attributes:
        nets: The nets.
        tokens: The ``tokens.txt``.
    """

    nets: NetFiles
    tokens: str

    def require(self) -> None:
        """Makes sure that all are there and none is something else, a git-lfs pointer for example.

        Raises:
            FileError: One is not.
        """
        for path in (*(file for pair in self.nets for file in pair), self.tokens):
            _require(Path(path), is_weights=path.endswith(".bin"))


def find_model(folder: str | os.PathLike[str], *, int8: bool = False) -> ModelFiles:
    """The files in a folder.

    Of each net there is one ``.param`` that begins with its name, such as
    ``encoder_jit_trace-pnnx.ncnn.param``, and a ``.bin`` of the same name. The int8 form of a net has
    ``.int8`` before ``.param``.

    Args:
        folder: The folder.
        int8: Take the int8 form of each net that has one.

    Raises:
        FileError: A file is missing, or there are several that may be meant.
    """
    place = Path(folder)
    if not place.is_dir():
        fault, code = ("is not a folder", "NP802") if place.exists() else ("does not exist", "NP801")
        raise FileError(f"{place} {fault}", hint="name the folder that has the model's files", code=code)
    found = [_find_net(place, net, int8) for net in NETS]
    if int8 and not any(_INT8 in Path(param).suffixes for param, _ in found):
        raise FileError(
            f"{place} has no int8 net",
            hint="its name ends in .int8.param, as encoder_jit_trace-pnnx.ncnn.int8.param does",
        )
    model = ModelFiles(NetFiles(*found), str(place / TOKENS))
    model.require()
    return model


def read_words(model: ModelFiles) -> dict[int, str]:
    """The tokens of a model by their ids, one for each logit of its joiner.

    Raises:
        ConfigError: ``tokens.txt`` is not in order or of another model.
        FileError: A file cannot be read.
        ParseError: The joiner's ``.param`` is none.
    """
    return read_words_of(model.tokens, model.nets.joiner[0])


def read_words_of(tokens: str, joiner: str) -> dict[int, str]:
    """The tokens of a file by their ids, one for each logit of a joiner.

    Args:
        tokens: The ``tokens.txt``.
        joiner: The ``.param`` of the joiner.

    Raises:
        ConfigError: The tokens are not in order or of another model.
        FileError: A file cannot be read.
        ParseError: The ``.param`` is none.
    """
    words = read_tokens(tokens)
    require_fit(words, tokens, load(joiner).graph)
    return words


def _find_net(folder: Path, net: str, int8: bool) -> tuple[str, str]:
    params = [path for path in folder.glob(f"{net}*.param") if not path.name.endswith(".pnnx.param")]
    forms = {
        form: sorted(path for path in params if (_INT8 in path.suffixes) is form) for form in (True, False)
    }
    candidates = (forms[True] if int8 else []) or forms[False]
    if not candidates:
        also = f"; there is only {forms[True][0].name}, for --int8" if forms[True] else ""
        raise FileError(
            f"{folder} has no {net}*.param{also}",
            hint=f"a model has six files and a tokens.txt; --{net} P B names files of other names",
        )
    if len(candidates) > 1:
        names = ", ".join(path.name for path in candidates)
        raise FileError(
            f"{folder} has several files that may be the {net}: {names}",
            hint=f"name the files: --{net} P B",
        )
    param = candidates[0]
    return str(param), str(param.with_suffix(".bin"))


def _require(path: Path, is_weights: bool) -> None:
    if not path.is_file():
        raise FileError(f"there is no {path}", hint="a model has six files and a tokens.txt", code="NP801")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise unreadable(path, error) from None
    foreign = recognise_weights(head)
    # the first line of a .param says that it is no weights, which is right for it
    if foreign is not None and (is_weights or not head.lstrip().startswith(b"7767517")):
        raise FileError(f"{path}: {foreign.message}", hint=foreign.hint)
