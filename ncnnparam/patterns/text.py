"""A text in the language of patterns: parses it, and says where a fault is."""

from __future__ import annotations

from lark import Token, Tree
from lark.exceptions import UnexpectedInput

from ncnnparam.errors import ParseError
from ncnnparam.syntax.grammar import parser

_WORDS_FOR = {
    "TYPE": "a layer type",
    "NAME": "a name for the layer",
    "COUNT": "a number of blobs",
    "ANY": "*",
    "BLOB": "a blob variable",
    "LEAVING": "a blob variable",
    "JOINED": "a blob variable",
    "KEY": "a param",
    "ARRAY_ID": "a param",
    "SPREAD": "**layer",
    "UNSET": "a param",
    "COMPARE": "a comparison",
    "VALUE": "a value",
    "BINDING": "?variable",
    "FORMULA": "{formula}",
    "ARROW": "=>",
    "HEAD": "---",
    "_END_LINE": "the end of the line",
}


class PatternText:
    """A text and its name, to parse it and to say where a fault is."""

    def __init__(self, text: str, name: str | None) -> None:
        self.text = text if text.endswith(("\n", "\r")) else text + "\n"
        self.name = name
        self.lines = self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def parse(self, start: str) -> Tree[Token]:
        """The tree, by a rule of the grammar.

        Raises:
            ParseError: The text has another form.
        """
        try:
            return parser("pattern").parse(self.text, start=start)
        except UnexpectedInput as error:
            raise self._syntax_error(error) from None

    def error(self, message: str, place: Token, *, offset: int = 0, hint: str | None = None) -> ParseError:
        """An error about a word, or about what stands some characters behind its start."""
        return self._error(message, place.line or 0, (place.column or 0) + offset, hint=hint)

    def _syntax_error(self, error: UnexpectedInput) -> ParseError:
        names = getattr(error, "accepts", None) or getattr(error, "allowed", None) or ()
        expected = sorted({_WORDS_FOR[name] for name in names if name in _WORDS_FOR})
        at_end = error.pos_in_stream is None or error.pos_in_stream >= len(self.text)
        line = len(self.lines) - 1 if at_end else error.line
        column = len(self.lines[line - 1]) + 1 if at_end else error.column
        rest = "" if at_end else self.lines[line - 1][column - 1 :]
        words = rest.split()
        message = f"'{words[0]}' has no place here" if words else "the line ends too early"
        return self._error(message, line, column, expected)

    def _error(
        self, message: str, line: int, column: int, expected: list[str] | None = None, hint: str | None = None
    ) -> ParseError:
        return ParseError(
            message,
            file=self.name,
            line=line,
            column=column,
            source_line=self.lines[line - 1],
            expected=expected or (),
            hint=hint,
        )
