"""What the joiner's numbers mean: tokens from a model of sentencepiece or a ``tokens.txt``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import ConfigError, FileError
from ncnnparam.optional import need
from ncnnparam.speech.tokens import DISAMBIGUATION, logits_of
from ncnnparam.syntax.files import read_text, write_atomic
from ncnnparam.syntax.foreign import recognise_weights

if TYPE_CHECKING:
    from ncnnparam.graph import Graph

BLANK = "<blk>"
UNKNOWN = "<unk>"
MAX_SIZE = 16 << 20
"""The largest ``tokens.txt`` or model that is read, in bytes; 500 tokens of BPE have 5 kB and 240 kB."""
_MODEL = ".model"
_HEAD = 4096


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
    try:
        size = file.stat().st_size
        with file.open("rb") as reader:
            head = reader.read(_HEAD)
    except OSError as error:
        raise FileError(f"cannot read {file}: {error.strerror}") from None
    if size > MAX_SIZE:
        raise FileError(f"{file} has {size} bytes, more than {MAX_SIZE}", hint="give bpe.model or tokens.txt")
    foreign = recognise_weights(head)
    if foreign is not None:
        raise FileError(f"{file} has no tokens: {foreign.message}", hint=foreign.hint)
    words = _of_model(file) if file.suffix == _MODEL else _of_text(file)
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


def require_fit(tokens: Tokens, joiner: Graph) -> None:
    """Makes sure that a joiner gives a logit for each token.

    Raises:
        ConfigError: It gives another number.
    """
    logits = logits_of(joiner)
    if logits is not None and logits != tokens.size:
        raise ConfigError(
            f"{tokens.source} has {tokens.size} tokens, and the joiner gives {logits} logits",
            hint="give the bpe.model or tokens.txt that the model was trained with",
        )


def _of_model(file: Path) -> list[str]:
    sentencepiece = need("sentencepiece", "export")
    model: Any = sentencepiece.SentencePieceProcessor()
    try:
        model.load(str(file))
    except (OSError, RuntimeError):
        raise FileError(f"{file} is no model of sentencepiece") from None
    return [str(model.id_to_piece(number)) for number in range(model.get_piece_size())]


def _of_text(file: Path) -> list[str]:
    text = read_text(file, max_size=MAX_SIZE)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise FileError(
            f"{file}:{line}: this is no UTF-8", hint="save it as UTF-8; is it a bpe.model?"
        ) from None
    lines: dict[int, int] = {}
    words: dict[int, str] = {}
    for line, record in enumerate(text.split("\n"), 1):
        parts = record.split()
        if not parts:
            continue
        if len(parts) != 2 or not (parts[1].isascii() and parts[1].isdigit() and len(parts[1]) < 10):
            raise ConfigError(f"{file}:{line}: a line of a tokens.txt is a token and its id")
        number = int(parts[1])
        if number in words:
            raise ConfigError(
                f"{file}:{line}: the id {number} was given to '{words[number]}' on line {lines[number]}"
            )
        words[number], lines[number] = parts[0], line
    found: list[str] = []
    for number in sorted(words):
        if number != len(found):
            raise ConfigError(f"{file}:{lines[number]}: the id {len(found)} is missing before {number}")
        found.append(words[number])
    while found and DISAMBIGUATION.fullmatch(found[-1]):
        found.pop()
    return found
