"""What a layer type is: its params, its arity, its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, cast

from ncnnparam.errors import OpsError, did_you_mean
from ncnnparam.ops.arrays import WeightArray, WeightSpec
from ncnnparam.ops.formula import Formula, formula
from ncnnparam.ops.params import COMMON_PARAMS, ParamSpec, Violation
from ncnnparam.ops.sizes import Shape, UnknownSizeError, size

if TYPE_CHECKING:
    from ncnnparam.syntax.values import Value


@dataclass(frozen=True, slots=True)
class Arity:
    """How many blobs a layer type takes or makes.

    Attributes:
        minimum: The fewest that any layer of the type has.
        maximum: The most, or None for no limit.
        exact: A formula for the number, where the params of a layer settle it; or empty.
    """

    minimum: int
    maximum: int | None
    exact: str = ""

    def __str__(self) -> str:
        if self.maximum is None:
            return f"{self.minimum} or more"
        return f"{self.minimum}" if self.minimum == self.maximum else f"{self.minimum} to {self.maximum}"

    def __contains__(self, count: int) -> bool:
        return self.minimum <= count and (self.maximum is None or count <= self.maximum)


ONE = Arity(1, 1)


@dataclass(frozen=True)
class LayerType:
    """A layer type as ncnn or sherpa-ncnn implements it, or as a user declares it.

    Attributes:
        name: The word at the start of a layer line.
        params: What the type reads, by ascending id, without ``COMMON_PARAMS``.
        one_blob_only: It takes exactly one input and gives exactly one output; some types settle it by
            their params.
        inplace: It may overwrite its input.
        custom: It is not part of ncnn: a net must register it before it loads a file that has one.
        summary: What it does, in a line.
        inputs: How many blobs it takes.
        outputs: How many blobs it makes.
        terms: Formulas with a name, which the other formulas of the type use: name -> formula.
        weights: What it reads from the ``.bin`` file, in this order.
        int8: A formula: whether a layer computes in int8; empty for never.
        macs: A formula over params and sizes of blobs (``ops/sizes.py``): how often a layer multiplies two
            numbers and adds the product to a sum; empty where nobody has said.
    """

    name: str
    params: tuple[ParamSpec, ...]
    one_blob_only: bool = False
    inplace: bool = False
    custom: bool = False
    summary: str = ""
    inputs: Arity = ONE
    outputs: Arity = ONE
    terms: Mapping[str, str] = field(default_factory=dict, hash=False)
    weights: tuple[WeightSpec, ...] = ()
    int8: str = ""
    macs: str = ""

    def param(self, key: str | int) -> ParamSpec | None:
        """The param of this name or id, also one of ``COMMON_PARAMS``; None if the type has no such param."""
        return self._specs.get(key)

    def value(self, key: str | int, params: Mapping[int, Value]) -> Value:
        """The value a layer gives for a param, of whatever kind, or else the default.

        Args:
            key: Name or id of a param of this type.
            params: The params the layer's line gives, by id.

        Raises:
            KeyError: The type has no such param.
        """
        spec = self._specs[key]
        return params[spec.id] if spec.id in params else self._default(spec, params)

    def read(self, key: str | int, params: Mapping[int, Value]) -> Value:
        """What ncnn 1.0.20261020 works with: ``value``, but the default for a value of another kind too.

        Raises:
            KeyError: The type has no such param.
        """
        spec = self._specs[key]
        if spec.id not in params or not spec.reads(params[spec.id]):
            return self._default(spec, params)
        value = params[spec.id]
        return float(value) if spec.type == "float" and isinstance(value, int) else value

    def evaluate(self, text: str, params: Mapping[int, Value]) -> int:
        """A formula over this type's params and terms, for the params of a layer.

        Raises:
            OpsError: It is no formula, or it divides by zero.
            KeyError: It uses a name that the type does not have.
        """
        return cast(int, formula(text)(lambda name: self._look_up(name, params)))

    def weight_layout(self, params: Mapping[int, Value]) -> list[WeightArray]:
        """The arrays that a layer reads from the ``.bin`` file, in order.

        Args:
            params: The params the layer's line gives, by id.

        Raises:
            OpsError: An array is empty, of negative size or larger than ncnn can count.
        """
        try:
            arrays = [
                spec.array(lambda text: self.evaluate(text, params), lambda text: self._tell(text, params))
                for spec in self.weights
            ]
        except OpsError as error:
            raise OpsError(f"{self.name}: {error.message}", hint=error.hint) from None
        return [array for array in arrays if array is not None]

    def violations(self, params: Mapping[int, Value]) -> list[Violation]:
        """What ncnn 1.0.20261020 would not take of a layer's params.

        What params demand of each other is looked at only once ncnn would not refuse any of them by itself.
        """
        stated = [spec for spec in (*self.params, *COMMON_PARAMS) if spec.id in params]
        kinds = [spec.kind_violation(params[spec.id]) for spec in stated]
        ranges = [self._range_violation(spec, params) for spec in self.params]
        found = [violation for violation in (*kinds, *ranges) if violation is not None]
        if any(violation.refused for violation in found):
            return found
        return found + [
            violation
            for spec in self.params
            for violation in spec.unmet(
                lambda text: self.evaluate(text, params), lambda text: self._tell(text, params)
            )
        ]

    def arity(self, params: Mapping[int, Value]) -> tuple[Arity, Arity]:
        """How many blobs a layer with these params takes and makes, as far as they settle it."""
        return self._settled(self.inputs, params), self._settled(self.outputs, params)

    def is_int8(self, params: Mapping[int, Value]) -> bool:
        """Whether a layer with these params computes in int8."""
        return bool(self.int8 and self.evaluate(self.int8, params))

    def count_macs(
        self, params: Mapping[int, Value], inputs: Sequence[Shape | None], outputs: Sequence[Shape | None]
    ) -> int | None:
        """Multiply-accumulates of a layer, or None where they cannot be told.

        Args:
            params: The params the layer's line gives, by id.
            inputs: The shape of each input, None where it is not known.
            outputs: The shape of each output, None where it is not known.
        """

        def look_up(name: str) -> Value:
            known = name in self._specs or name in self.terms
            return self._look_up(name, params) if known else size(name, inputs, outputs)

        try:
            count = formula(self.macs)(look_up) if self.macs else None
        except (OpsError, UnknownSizeError):
            return None
        return count if isinstance(count, int) and count >= 0 else None

    def suggest(self, name: str) -> str | None:
        """A hint with the names of this type's params that look like ``name``, or None when none does."""
        return did_you_mean(name, (spec.name for spec in (*self.params, *COMMON_PARAMS)))

    def parsed(self, text: str) -> Formula:
        """A formula with its names spelled out: those of terms are replaced by the params behind them.

        Raises:
            OpsError: It is no formula.
            KeyError: A term has a name that the type does not have.
        """
        whole = formula(text)
        names, measured = set[str](), set(whole.measured)
        for name in whole.names:
            if name in self._specs:
                names.add(name)
            else:
                term = self.parsed(self.terms[name])
                names |= term.names
                measured |= term.measured
        return Formula(text, frozenset(names), frozenset(measured), whole)

    def _default(self, spec: ParamSpec, params: Mapping[int, Value]) -> Value:
        if not isinstance(spec.default, str) or spec.type == "string":
            return spec.default
        return cast("Value", formula(spec.default)(lambda name: self.read(name, params)))

    def _look_up(self, name: str, params: Mapping[int, Value]) -> Value:
        return self.evaluate(self.terms[name], params) if name in self.terms else self.read(name, params)

    def _settled(self, arity: Arity, params: Mapping[int, Value]) -> Arity:
        if not arity.exact:
            return arity
        try:
            count = self.evaluate(arity.exact, params)
        except OpsError:  # a division by zero
            return arity
        return Arity(count, count)

    def _range_violation(self, spec: ParamSpec, params: Mapping[int, Value]) -> Violation | None:
        try:
            return spec.range_violation(self.read(spec.id, params))
        except OpsError:  # its default divides by zero: another demand is about that zero
            return None

    def _tell(self, text: str, params: Mapping[int, Value]) -> str:
        used = self.parsed(text)
        texts = [
            spec.name if spec.name in used.names else f"len({spec.name})"
            for spec in self.params
            if spec.name in used.names | used.measured
        ]
        return ", ".join(f"{text} is {self.evaluate(text, params)}" for text in texts)

    @cached_property
    def layouts(self) -> dict[str, Sequence[WeightArray]]:
        """For whoever asks for many layouts to remember them: the text of a layer's params -> its arrays."""
        return {}

    @cached_property
    def _specs(self) -> dict[str | int, ParamSpec]:
        specs: dict[str | int, ParamSpec] = {}
        for spec in (*self.params, *COMMON_PARAMS):
            specs[spec.id] = specs[spec.name] = spec
        return specs
