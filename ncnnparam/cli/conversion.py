"""What ``ncnnparam convert`` has to tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ncnnparam.cli.common import say, say_names

if TYPE_CHECKING:
    from ncnnparam.binparam import Guess
    from ncnnparam.weights.convert import Change


@dataclass
class Outcome:
    """What came of a conversion.

    Attributes:
        guesses: Params of a binary form whose kind nobody knows.
        left_out: Bytes behind the last layer of a binary form.
        before: Bytes of all arrays before.
        changes: The arrays that got another storage.
        clashes: Constants that stand twice in an ``.id.h``.
    """

    guesses: Sequence[Guess]
    left_out: int
    before: int
    changes: Sequence[Change] = ()
    clashes: Sequence[str] = field(default_factory=list)

    @property
    def after(self) -> int:
        """Bytes of all arrays after."""
        return self.before + sum(change.bytes_after - change.bytes_before for change in self.changes)

    def as_json(self, storage: str | None, outputs: Sequence[str | None]) -> dict[str, Any]:
        """Everything, for programs."""
        return {
            "outputs": [name for name in outputs if name is not None],
            "storage": storage,
            "bytes_before": self.before,
            "bytes_after": self.after,
            "arrays": [_change_json(change) for change in self.changes],
            "guessed_params": [guess._asdict() for guess in self.guesses],
            "bytes_left_out": self.left_out,
            "constants_twice": list(self.clashes),
        }

    def tell(self, storage: str | None, *, made_up_names: bool) -> None:
        """Tells people what they should know, on standard error."""
        if made_up_names:
            say("the layers and blobs have made-up names; --names gives them those of an .id.h")
        if self.left_out:
            say(f"warning: {self.left_out} bytes behind the last layer are left out; ncnn does not read them")
        if self.guesses:
            named = [f"{guess.id} of {guess.layer}" for guess in self.guesses]
            say_names("warning: whether these params are ints or floats is guessed by their values", named)
        if self.clashes:
            say_names("warning: no compiler takes the .id.h: it has twice", self.clashes)
        if storage is not None:
            self._tell_of_weights(storage)

    def _tell_of_weights(self, storage: str) -> None:
        kinds = dict.fromkeys(change.before for change in self.changes)
        for before in kinds:
            count = sum(change.before is before for change in self.changes)
            say(f"{before} to {storage}: {count} {'array' if count == 1 else 'arrays'}")
        if not self.changes:
            say(f"nothing to convert: no array can become {storage} that is not")
        say(f"weights: {self.before:,} -> {self.after:,} bytes")
        if storage == "bf16" and self.changes:
            say("ncnn reads bf16 from 1.0.20261020 on; older releases take it for something else")
        zeros = sum(change.vanished for change in self.changes)
        if zeros:
            say(f"{zeros:,} numbers are too small for {storage} and became 0")
        lost = [
            f"{change.layer} {change.array} ({change.overflowed:,})"
            for change in self.changes
            if change.overflowed
        ]
        if lost:
            say_names(f"warning: numbers too large for {storage} became infinite", lost)


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "layer": change.layer,
        "array": change.array,
        "before": str(change.before),
        "after": str(change.after),
        "elements": change.count,
        "bytes_before": change.bytes_before,
        "bytes_after": change.bytes_after,
        "overflowed": change.overflowed,
        "vanished": change.vanished,
    }
