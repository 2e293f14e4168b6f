"""Takes a shell script apart into its commands, as far as that goes without running it.

Known are comments, quotes, continued lines, blocks, functions, and variables that are plainly assigned. What
a block assigns is not known behind the block, because nobody knows whether it ran. A word with something
that is not known keeps its ``$``.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\+|\[.*\])?=(.*)", re.DOTALL)
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")
_SEPARATOR = re.compile(r"[;&|]+")
_DECLARES = frozenset(("export", "readonly", "local", "declare", "typeset"))
_SETS = frozenset(("read", "let", "unset"))
_OPENS = frozenset(("if", "for", "while", "until", "case", "select", "{"))
_TURNS = frozenset(("then", "do", "else", "elif"))
_CLOSES = frozenset(("fi", "done", "esac", "}"))
_SKIPPED = frozenset(("!", "time", "exec", "nohup", "(", ")"))

Scopes = list[dict[str, "str | None"]]
"""Variables of the open blocks, the innermost last; None for one whose value is not known."""


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command.

    Attributes:
        words: Its words, with known variables put in.
        line: Line where it begins, from 1.
        last_line: Line where it ends.
    """

    words: tuple[str, ...]
    line: int
    last_line: int


def commands(text: str) -> Iterator[Command]:
    """The commands of a script in their order; assignments and keywords of the shell are left out."""
    scopes: Scopes = [{}]
    for line, last_line, source in _logical_lines(text):
        for conditional, words in _simple_commands(source):
            rest = _without_keywords(words, scopes)
            assigned = _assign(rest, scopes, conditional)
            if assigned < len(rest):
                yield Command(tuple(_expand(word, scopes) for word in rest[assigned:]), line, last_line)


def _logical_lines(text: str) -> Iterator[tuple[int, int, str]]:
    """First line, last line and text of what the shell reads as one line, without its comment."""
    pending = ""
    first = 1
    lines = text.splitlines()
    for line, physical in enumerate(lines, 1):
        comment = _comment_start(physical)
        code = physical[:comment]
        # a comment swallows its backslash: behind it, nothing continues
        if comment == len(physical) and re.search(r"(?<!\\)(?:\\\\)*\\$", code) and line < len(lines):
            pending += code[:-1]
            continue
        if (pending + code).strip():
            yield first, line, pending + code
        pending, first = "", line + 1


def _comment_start(line: str) -> int:
    """Where the comment of a line begins, or its length."""
    for match in re.finditer(r"""\\.|'[^']*'|"(?:\\.|[^"\\])*"|(?:(?<=\s)|^)#""", line):
        if match.group() == "#":
            return match.start()
    return len(line)


def _simple_commands(line: str) -> Iterator[tuple[bool, list[str]]]:
    """The words of each command of a line, and whether it runs only if the one before it went well or not."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|()<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:  # a quote that ends on another line: a here-document, a program in quotes
        return
    found: list[str] = []
    conditional = False
    depth = 0
    for word in words:
        depth += word.count("(") - word.count(")")
        if _SEPARATOR.fullmatch(word):
            yield conditional, found
            found, conditional = [], word in ("&&", "||")
        elif depth < 0 or word == "()":  # the label of a case, the name of a function
            found, depth = [], 0
        else:
            found.append(word)
    yield conditional, found


def _without_keywords(words: list[str], scopes: Scopes) -> list[str]:
    """The words behind the shell's keywords, which open and close blocks."""
    if words[:1] == ["function"]:
        words = words[2:]
    for index, word in enumerate(words):
        if word in _OPENS:
            scopes.append({})
            if word in ("for", "select"):
                scopes[-1].update(dict.fromkeys(words[index + 1 : index + 2]))
            if word in ("for", "select", "case"):
                return []
        elif word in _TURNS:
            _close(scopes)
            scopes.append({})
        elif word in _CLOSES:
            _close(scopes)
        elif word not in _SKIPPED and word not in _DECLARES:
            return words[index:]
    return []


def _close(scopes: Scopes) -> None:
    if len(scopes) > 1:
        inner = scopes.pop()
        scopes[-1].update(dict.fromkeys(inner))


def _assign(words: list[str], scopes: Scopes, conditional: bool) -> int:
    """Carry out the assignments at the front of a command, and tell how many there are."""
    count = 0
    for word in words:
        match = _ASSIGNMENT.fullmatch(word)
        if match is None:
            break
        name, changed, text = match.groups()
        value = _expand(text, scopes)
        plain = not (conditional or changed or "$" in value or "`" in value)
        scopes[-1][name] = value if plain else None
        count += 1
    if words and words[0] in _SETS:
        scopes[-1].update(dict.fromkeys(word.partition("=")[0] for word in words[1:]))
    return count


def _expand(word: str, scopes: Scopes) -> str:
    def value(match: re.Match[str]) -> str:
        name = match.group(1) or match.group(2)
        found = next((scope[name] for scope in reversed(scopes) if name in scope), None)
        return match.group() if found is None else found

    return _VARIABLE.sub(value, word)
