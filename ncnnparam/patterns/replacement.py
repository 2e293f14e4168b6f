"""What a replacement is: lines for the layers to be, and blobs that are joined."""

from __future__ import annotations

from dataclasses import dataclass

from ncnnparam.patterns.conditions import Operand


@dataclass(frozen=True)
class Spread:
    """``**conv``: the params that a matched layer states."""

    layer: str


@dataclass(frozen=True)
class Setting:
    """``9=1``, ``slope=?s``, ``6={n * 9}``, or ``9=`` for a param that is no longer to be stated.

    Attributes:
        key: Id or name of a param.
        operand: The value, or None to state it no longer.
    """

    key: int | str
    operand: Operand | None


@dataclass(frozen=True)
class NewLayer:
    """A line of a replacement.

    Attributes:
        type: The layer type; None to keep that of the layer of this name.
        name: The variable: of a matched layer, which then goes on as this one, or a new one.
        inputs: Variables of the input blobs; one that stands for several gives them all.
        outputs: Variables of the output blobs.
        settings: Where the params come from, later ones winning.
        line: Where it stands in the text, from 1.
    """

    type: str | None
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    settings: tuple[Spread | Setting, ...]
    line: int


@dataclass(frozen=True)
class Replacement:
    """What is put in place of a match.

    Attributes:
        text: As it was written.
        layers: The layers, each below those it reads from.
        joins: Blobs that go, and the ones that are read instead, by variable.
    """

    text: str
    layers: tuple[NewLayer, ...]
    joins: tuple[tuple[str, str], ...]
