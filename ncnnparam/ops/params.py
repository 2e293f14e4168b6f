"""What one param of a layer type is, and what is wrong with a value for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from ncnnparam.errors import OpsError

if TYPE_CHECKING:
    from ncnnparam.syntax.values import Value

ParamType: TypeAlias = Literal["int", "float", "array", "string"]
ItemType: TypeAlias = Literal["int", "float"]

PARAM_TYPES: tuple[ParamType, ...] = ("int", "float", "array", "string")
FEATURE_MASK = 31
"""The id of the features to switch off, which ncnn reads on every layer."""
_LONGEST_SHOWN = 60  # characters of a value in a message
_ARTICLES = {"int": "an int", "float": "a float", "array": "an array", "string": "a string"}


@dataclass(frozen=True, slots=True)
class Violation:
    """A value that ncnn 1.0.20261020 refuses or does not read.

    Attributes:
        param: The param at fault.
        message: What is wrong, with the values concerned.
        refused: ncnn refuses the layer; otherwise it takes the default without a word.
    """

    param: ParamSpec
    message: str
    refused: bool = True


@dataclass(frozen=True, slots=True)
class ParamSpec:
    """One param that a layer type reads.

    Attributes:
        id: The key in the text, 0 to 31.
        name: The member's name in the C++ source, for example ``kernel_w``.
        type: How ncnn reads the value.
        default: The value of an absent param. For a type other than ``string`` a ``str`` names the param
            whose value is taken, or is a formula over such names; ``LayerType.value`` resolves both.
        meaning: What it is for, in a line.
        values: What single values mean, for an enumeration: value -> word.
        minimum: The least value ncnn accepts, of an array the least element; None for any.
        maximum: The greatest value ncnn accepts, of an array the greatest element; None for any.
        items: What the elements of an array are; ncnn takes ints where it wants floats, not the reverse.
        requires: Formulas that ncnn demands to hold, this param being the one to blame.
        int_bits: In an array of floats, ncnn takes ints for the bits of floats, not for whole numbers.
    """

    id: int
    name: str
    type: ParamType
    default: Value
    meaning: str = ""
    values: Mapping[int, str] = field(default_factory=dict, hash=False)
    minimum: int | None = None
    maximum: int | None = None
    items: ItemType | None = None
    requires: tuple[str, ...] = ()
    int_bits: bool = False

    def reads(self, value: Value) -> bool:
        """Whether ncnn reads a value of this kind, and does not take the default or refuse the layer."""
        if self.type == "int":
            return isinstance(value, int)
        if self.type == "float":
            return isinstance(value, (int, float))
        if self.type == "string":
            return isinstance(value, str)
        if not isinstance(value, tuple):
            return False
        return self.items != "int" or all(isinstance(item, int) for item in value)

    def word(self, value: Value) -> str | None:
        """What a value of an enumeration means, or None."""
        return self.values.get(value) if isinstance(value, int) else None

    def kind_violation(self, value: Value) -> Violation | None:
        """What is wrong with the kind of a value that a layer states, if anything."""
        if self.reads(value):
            return None
        wanted = _ARTICLES[self.type] + (f" of {self.items}s" if self.items else "")
        refused = self.type == "array" or self.id == FEATURE_MASK
        effect = "refuses anything else" if refused else "takes the default instead"
        shown = repr(value) if len(repr(value)) <= _LONGEST_SHOWN else f"{repr(value)[:_LONGEST_SHOWN]}..."
        message = f"{self.name} is {wanted}, not {shown}: ncnn {effect}"
        return Violation(self, message, refused)

    def range_violation(self, value: Value) -> Violation | None:
        """What is wrong with the size of a value, if anything."""
        items = value if isinstance(value, tuple) else (value,)
        for item in items:
            if isinstance(item, str):
                continue
            if self.minimum is not None and item < self.minimum:
                return Violation(self, f"{self.name} is {item}, and the least is {self.minimum}")
            if self.maximum is not None and item > self.maximum:
                return Violation(self, f"{self.name} is {item}, and the most is {self.maximum}")
        return None

    def unmet(self, evaluate: Callable[[str], int], tell: Callable[[str], str]) -> Iterator[Violation]:
        """The demands that do not hold.

        Args:
            evaluate: Computes a formula for the params of a layer.
            tell: Gives the values of the params in a formula as text.
        """
        for text in self.requires:
            try:
                holds = evaluate(text)
            except OpsError:  # a division by zero: another demand is about that zero
                continue
            if not holds:
                yield Violation(self, f"ncnn demands {text}, but {tell(text)}")


COMMON_PARAMS = (
    ParamSpec(30, "shape_hints", "array", (), "sizes of the outputs: dims w h c, or dims w h d c, each"),
    ParamSpec(
        FEATURE_MASK,
        "featmask",
        "int",
        0,
        "features switched off, as a sum: 1 fp16 arithmetic, 2 fp16 storage, ...",
    ),
)
"""Params that ncnn itself reads on every layer: shapes of the outputs, and features switched off."""
