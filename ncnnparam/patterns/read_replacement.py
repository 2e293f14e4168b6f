"""Syntax tree to replacement, with all that a grammar cannot check."""

from __future__ import annotations

from lark import Token, Tree

from ncnnparam.errors import ParseError
from ncnnparam.patterns.conditions import Bound, Computed, Operand
from ncnnparam.patterns.pattern import Pattern, Quantity
from ncnnparam.patterns.reader import Reader, tokens
from ncnnparam.patterns.replacement import NewLayer, Replacement, Setting, Spread
from ncnnparam.patterns.text import PatternText
from ncnnparam.patterns.types import TypeTest


class ReplacementReader(Reader):
    """Reads one replacement for what a pattern matches."""

    def __init__(self, source: PatternText, pattern: Pattern) -> None:
        super().__init__(source)
        self.pattern = pattern
        self.names: dict[str, Token] = {}
        self.written: dict[str, Token] = {}

    def build(self, lines: Tree[Token]) -> Replacement:
        """The replacement of a tree ``replacement_lines``.

        Raises:
            ParseError: It makes no sense, or does not go with the pattern.
        """
        self.check_count(lines)
        trees = [line for line in lines.children if isinstance(line, Tree)]
        layers = tuple(self._line(line) for line in trees if line.data == "made")
        joins = tuple(self._join(line) for line in trees if line.data == "join")
        for name in self.pattern.outputs:
            if name not in self.written:
                hint = f"let a layer write it, or join it with another blob: {name} = x"
                message = f"the replacement does not say what becomes of '{name}'"
                raise ParseError(message, file=self.source.name, hint=hint)
        return Replacement(self.text_of(lines), layers, joins)

    def _line(self, line: Tree[Token]) -> NewLayer:
        type, name, n_inputs, n_outputs, blobs, settings = self.parts(line)
        inputs, outputs = self.cut(n_inputs, n_outputs, self._plain(blobs))
        self._check_name(name)
        matched = self.pattern.line(name)
        if type == "*" and matched is None:
            raise self.source.error(f"* keeps the type of a matched layer, and '{name}' is none", type)
        if type != "*" and (TypeTest(type).open or "|" in type):
            raise self.source.error("a new layer has one type; * keeps that of the matched layer", type)
        self._check_reads(n_inputs, inputs)
        for word in outputs:
            self._write(word)
        self._check_group(n_outputs, outputs)
        types = matched.types if type == "*" and matched is not None else TypeTest(type)
        return NewLayer(
            None if type == "*" else str(type),
            str(name),
            tuple(map(str, inputs)),
            tuple(map(str, outputs)),
            tuple(self._setting(types, part) for part in settings.children),
            type.line or 0,
        )

    def _join(self, line: Tree[Token]) -> tuple[str, str]:
        gone, instead = tokens(line)
        if gone not in self.pattern.outputs:
            raise self.source.error(f"'{gone}' is no output of the pattern", gone)
        if instead in self.pattern.groups:
            raise self.source.error(f"'{instead}' stands for several blobs", instead)
        if any(gone == other for other in self.written):
            raise self.source.error(f"'{gone}' is written already", gone)
        self._check_read(instead)
        self.written[str(gone)] = gone
        return str(gone), str(instead)

    def _plain(self, blobs: Tree[Token]) -> list[Token]:
        for group in blobs.children:
            if isinstance(group, Tree):
                raise self.source.error("a replacement has its inputs in one order", next(tokens(group)))
            if group.type == "LEAVING":
                raise self.source.error("> stands in patterns only", group)
        return [word for word in blobs.children if isinstance(word, Token)]

    def _check_name(self, name: Token) -> None:
        if name[-1] in "?+*":
            raise self.source.error("a replacement has each of its layers once", name)
        if name in self.names:
            raise self.source.error(f"there are two layers '{name}'", name)
        matched = self.pattern.line(name)
        if matched is not None and matched.quantity is not Quantity.ONE:
            message = f"'{name}' may be missing or repeated, so no single layer goes on as it"
            raise self.source.error(message, name, hint="give the new layer a name of its own")
        self.names[str(name)] = name

    def _check_reads(self, count: Token, inputs: list[Token]) -> None:
        if self.counted(count, inputs, "inputs") and inputs[0] not in self.pattern.groups:
            raise self.source.error(f"'{inputs[0]}' stands for one blob", inputs[0])
        for word in inputs:
            if count != "*" and word in self.pattern.groups:
                raise self.source.error(f"'{word}' stands for several blobs: the count is *", word)
            self._check_read(word)

    def _check_read(self, word: Token) -> None:
        if word not in self.written and word not in self.pattern.inputs:
            message = f"nothing above writes '{word}', nor is it an input of the pattern"
            raise self.source.error(message, word)

    def _check_group(self, count: Token, outputs: list[Token]) -> None:
        all_outputs = self.counted(count, outputs, "outputs")
        for word in outputs:
            if all_outputs != (word in self.pattern.groups):
                what = "one blob" if all_outputs else "several blobs: the count is *"
                raise self.source.error(f"'{word}' stands for {what}", word)

    def _write(self, word: Token) -> None:
        if word in self.pattern.inputs:
            raise self.source.error(f"'{word}' comes from outside and is not written here", word)
        if word in self.written or word == "_":
            raise self.source.error(f"'{word}' is written already" if word != "_" else "name the blob", word)
        self.written[str(word)] = word

    def _setting(self, types: TypeTest, part: Tree[Token] | Token) -> Spread | Setting:
        if isinstance(part, Tree):
            key, compare, *words = tokens(part)
            if compare != "=" or len(words) != 1:
                raise self.source.error("a replacement gives each param one value, with =", compare)
            self._check_key(types, key, words)
            operand = self.operand(key, words)
            self._check_variables(operand, words[0])
            return Setting(self.key(key), operand)
        if part.type == "SPREAD":
            name = part[2:]
            line = self.pattern.line(name)
            if line is None or line.quantity.repeats:
                raise self.source.error(f"'{name}' is no single layer of the pattern", part)
            return Spread(name)
        key = Token.new_borrow_pos("KEY", part[:-1], part)
        self._check_key(types, key, [])
        return Setting(self.key(key), None)

    def _check_key(self, types: TypeTest, key: Token, words: list[Token]) -> None:
        for name in types.names:
            self.check_key(name, key, words)

    def _check_variables(self, operand: Operand, place: Token) -> None:
        names: frozenset[str] = frozenset()
        if isinstance(operand, Bound):
            names = frozenset((operand.name,))
        elif isinstance(operand, Computed):
            names = operand.formula.names | operand.formula.measured
        for name in sorted(names - self.pattern.bound):
            raise self.source.error(f"nothing in the pattern gives ?{name} a value", place)
