"""What the joiner's numbers mean: tokens from a model of sentencepiece or a ``tokens.txt``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ncnnparam.errors import ConfigError, FileError, unreadable
from ncnnparam.optional import need
from ncnnparam.speech import tokens as speech_tokens
from ncnnparam.speech.tokens import MAX_SIZE
from ncnnparam.syntax import write_atomic
from ncnnparam.syntax.foreign import recognise_weights

BLANK = "<blk>"
UNKNOWN = "<unk>"
_MODEL = ".model"
_HEAD = 4096
_GIVE = "give the bpe.model or tokens.txt that the model was trained with"


@dataclass(frozen=True)
class Tokens:
    """The tokens of a transducer.

    Attributes:
        words: Each token at the place of its id.
        source: The file that they are from.
    """

    words: tuple[str, ...]
    source: Path

    @property
    def size(self) -> int:
        """How many there are: icefall's ``vocab_size``."""
        return len(self.words)

    @property
    def blank(self) -> int:
        """The id of the blank, which is 0: sherpa-ncnn knows no other."""
        return 0

    @property
    def unknown(self) -> int | None:
        """The id of ``<unk>``, if it is a token."""
        return self.words.index(UNKNOWN) if UNKNOWN in self.words else None


def read_tokens(path: str | os.PathLike[str]) -> Tokens:
    """Reads a ``bpe.model`` of sentencepiece, or a ``tokens.txt`` with ``token id`` on each line.

    Raises:
        FileError: The file cannot be read, or is something else.
        ConfigError: Its ids are not 0, 1, 2 and so on, or 0 is not the blank.
        NcnnParamError: It is a model, and sentencepiece is not installed.
    """
    file = Path(path)
    words = _of_model(file) if file.suffix == _MODEL else list(speech_tokens.read_tokens(file).values())
    if not words or words[0] != BLANK:
        found = f"0 is '{words[0]}'" if words else "it is empty"
        raise ConfigError(
            f"{file} has no blank: {found}", hint=f"a transducer's token 0 is {BLANK}; is it the right file?"
        )
    return Tokens(tuple(words), file)


def write_tokens(tokens: Tokens, path: str | os.PathLike[str]) -> Path:
    """Writes a ``tokens.txt`` as icefall does: ``token id`` on each line.

    Raises:
        FileError: It cannot be written.
    """
    write_atomic(path, "".join(f"{word} {number}\n" for number, word in enumerate(tokens.words)))
    return Path(path)


def _of_model(file: Path) -> list[str]:
    try:
        size = file.stat().st_size
        with file.open("rb") as reader:
            head = reader.read(_HEAD)
    except OSError as error:
        raise unreadable(file, error) from None
    if size > MAX_SIZE:
        raise FileError(f"{file} has {size:,} bytes, more than {MAX_SIZE:,}", hint=_GIVE)
    foreign = recognise_weights(head)
    if foreign is not None:
        raise FileError(f"{file} has no tokens: {foreign.message}", hint=foreign.hint)
    sentencepiece = need("sentencepiece", "export")
    model: Any = sentencepiece.SentencePieceProcessor()
    try:
        model.load(str(file))
    except (OSError, RuntimeError):
        raise FileError(f"{file} is no model of sentencepiece, or is damaged", hint=_GIVE) from None
    return [str(model.id_to_piece(number)) for number in range(model.get_piece_size())]
