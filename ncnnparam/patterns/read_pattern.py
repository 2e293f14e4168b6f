"""Syntax tree to pattern, with all that a grammar cannot check."""

from __future__ import annotations

from collections.abc import Iterator

from lark import Token, Tree

from ncnnparam.errors import ParseError
from ncnnparam.patterns.conditions import Bound, Computed, Condition
from ncnnparam.patterns.pattern import LayerPattern, Pattern, Quantity
from ncnnparam.patterns.reader import Reader, tokens
from ncnnparam.patterns.types import TypeTest

MOST_UNORDERED = 4
"""Blobs in one pair of braces: all their orders are tried."""


class PatternReader(Reader):
    """Reads one pattern."""

    def build(self, lines: Tree[Token]) -> Pattern:
        """The pattern of a tree ``pattern_lines``.

        Raises:
            ParseError: It makes no sense, or could not be looked for in reasonable time.
        """
        self.check_count(lines)
        self.names: dict[str, Token] = {}
        self.made: dict[str, Token] = {}
        self.leaving: dict[str, Token] = {}
        built = [self._line(line) for line in lines.children if isinstance(line, Tree)]
        read = {name for line in built for name in line.inputs}
        outputs = tuple(name for name in self.made if name not in read or name in self.leaving)
        pattern = Pattern(self.text_of(lines), tuple(built), outputs, self.source.name)
        self._check(pattern)
        return pattern

    def _line(self, line: Tree[Token]) -> LayerPattern:
        type, name, n_inputs, n_outputs, blobs, conditions = self.parts(line)
        inputs, outputs = self.cut(n_inputs, n_outputs, list(tokens(blobs)))
        quantity = Quantity(name[-1] if name[-1] in "?+*" else "")
        variable = name.rstrip("?+*")
        self._check_name(variable, name)
        self._check_outputs(inputs, outputs)
        if type == "Split":
            raise self.source.error("patterns have no Splits: they are seen through", type)
        if quantity is not Quantity.ONE and (n_inputs, n_outputs) != ("1", "1"):
            raise self.source.error(
                "only a layer of one input and one output may be missing or repeated", name
            )
        return LayerPattern(
            TypeTest(type),
            variable,
            quantity,
            tuple(None if word == "_" else word.lstrip(">") for word in inputs),
            tuple(word.lstrip(">") for word in outputs),
            self.counted(n_inputs, inputs, "inputs"),
            self.counted(n_outputs, outputs, "outputs"),
            tuple(self._any_order(blobs, inputs)),
            tuple(
                self._condition(TypeTest(type), part)
                for part in conditions.children
                if isinstance(part, Tree)
            ),
            type.line or 0,
        )

    def _check_name(self, variable: str, place: Token) -> None:
        if variable in self.names:
            first = self.names[variable].line
            raise self.source.error(f"'{variable}' stands for the layer of line {first} already", place)
        self.names[variable] = place

    def _check_outputs(self, inputs: list[Token], outputs: list[Token]) -> None:
        for word in inputs:
            if word.type == "LEAVING":
                raise self.source.error("> marks a blob where it is written, not where it is read", word)
        for word in outputs:
            variable = word.lstrip(">")
            if variable == "_":
                raise self.source.error("an output needs a name: layers outside may read it", word)
            if variable in self.made:
                first = self.made[variable].line
                raise self.source.error(f"'{variable}' is written in line {first} already", word)
            self.made[variable] = word
            if word.type == "LEAVING":
                self.leaving[variable] = word

    def _any_order(self, blobs: Tree[Token], inputs: list[Token]) -> Iterator[tuple[int, ...]]:
        positions = {id(word): position for position, word in enumerate(inputs)}
        for group in blobs.children:
            if not isinstance(group, Tree):
                continue
            words = list(tokens(group))
            if any(id(word) not in positions for word in words):
                raise self.source.error("braces stand around inputs, whose order does not matter", words[0])
            if len(words) > MOST_UNORDERED:
                message = f"at most {MOST_UNORDERED} blobs may come in any order"
                raise self.source.error(message, words[0])
            yield tuple(positions[id(word)] for word in words)

    def _condition(self, types: TypeTest, part: Tree[Token]) -> Condition:
        key, compare, *words = tokens(part)
        for name in types.names:
            self.check_key(name, key, words)
        return Condition(self.key(key), str(compare), self.operand(key, words))

    def _check(self, pattern: Pattern) -> None:
        """Raises ParseError for a pattern that could not be looked for, or not in reasonable time."""
        if not pattern.lines:
            raise ParseError("the pattern is empty", file=self.source.name, hint="give it a layer")
        if all(line.quantity is not Quantity.ONE for line in pattern.lines):
            place = self.names[pattern.lines[0].name]
            raise self.source.error("every layer may be missing or repeated: one must be just one", place)
        reached = {step.line.name for step in pattern.steps}
        for line in pattern.lines:
            if line.name not in reached:
                place = self.names[line.name]
                raise self.source.error(f"'{line.name}' shares no blob with the rest of the pattern", place)
            for name in pattern.groups & line.variables:
                if sum(name in other.variables for other in pattern.lines) > 1:
                    place = self.names[line.name]
                    raise self.source.error(f"'{name}' stands for several blobs and in several lines", place)
        for line in pattern.lines:
            for condition in line.conditions:
                if isinstance(condition.operand, Computed):
                    self._check_bound(pattern, condition.operand, line)
                elif isinstance(condition.operand, Bound) and condition.compare != "=":
                    self._check_compared(pattern, condition, line)

    def _check_bound(self, pattern: Pattern, computed: Computed, line: LayerPattern) -> None:
        for name in sorted(computed.formula.names | computed.formula.measured):
            if name not in pattern.bound:
                place = self.names[line.name]
                raise self.source.error(f"nothing gives {name} in {computed.text} a value", place)

    def _check_compared(self, pattern: Pattern, condition: Condition, line: LayerPattern) -> None:
        """Raises ParseError if ``0>?n`` would be the first to meet the variable."""
        assert isinstance(condition.operand, Bound)
        for step in pattern.steps:
            for other in step.line.conditions:
                if other is condition:
                    place = self.names[line.name]
                    hint = f"write {{{condition.operand.name}}}, which is compared in the end"
                    raise self.source.error(f"{condition.operand.text} has no value yet", place, hint=hint)
                if other.operand == condition.operand and other.compare == "=":
                    return
