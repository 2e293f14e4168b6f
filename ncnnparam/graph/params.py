"""The params of one layer as a mapping from id to value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import GraphError, NotFoundError
from ncnnparam.syntax import Param, Style, Value

if TYPE_CHECKING:
    from ncnnparam.graph.layer import Layer


class Params(MutableMapping[int, Value]):
    """``layer.params``: the params that a layer's line states, by id.

    What is set keeps its place in the line, and an array its style; what is new goes to the end. When a
    line states an id twice, the last one counts, as for ncnn.
    """

    __slots__ = ("_layer",)

    def __init__(self, layer: Layer) -> None:
        self._layer = layer

    @property
    def raw(self) -> tuple[Param, ...]:
        """The params in the order of the line, with their spelling."""
        return self._layer._params

    def find(self, id: int) -> Param | None:
        """The param that counts for an id, or None if the line does not state it."""
        for param in reversed(self.raw):
            if param.id == id:
                return param
        return None

    def __getitem__(self, id: int) -> Value:
        param = self.find(id)
        if param is None:
            raise NotFoundError(f"layer '{self._layer.name}' does not state param {id}")
        return param.value

    def __setitem__(self, id: int, value: Value | list[int | float]) -> None:
        old = self.find(id)
        keep = old.style if old and old.style in (Style.OLD_ARRAY, Style.NEW_ARRAY, Style.QUOTED) else None
        try:
            new = Param.make(id, value, keep)
        except ValueError as error:
            raise GraphError(f"param {id} of layer '{self._layer.name}': {error}") from None
        if old is None:
            self._layer._params = (*self.raw, new)
        elif not old.same_value(new):
            self._layer._params = tuple(new if param is old else param for param in self.raw)

    def __delitem__(self, id: int) -> None:
        if self.find(id) is None:
            raise NotFoundError(f"layer '{self._layer.name}' does not state param {id}")
        self._layer._params = tuple(param for param in self.raw if param.id != id)

    def update(self, *args: Any, **named: Any) -> None:
        """Sets several params, or none of them if one cannot be written."""
        before = self.raw
        try:
            super().update(*args, **named)
        except GraphError:
            self._layer._params = before
            raise

    def respell(self, params: Iterable[Param]) -> None:
        """Writes the params in another way: other spellings, another order, no repeats.

        Args:
            params: What the line states from now on, from ``Param.make`` or ``parse_params``.

        Raises:
            GraphError: Their ids are not those that the line states now.
        """
        new = tuple(params)
        ids, known = {param.id for param in new}, set(self)
        if ids != known:
            differ = ", ".join(map(str, sorted(ids ^ known)))
            raise GraphError(f"layer '{self._layer.name}': the new spelling adds or drops param {differ}")
        self._layer._params = new

    def __iter__(self) -> Iterator[int]:
        return iter(dict.fromkeys(param.id for param in self.raw))

    def __len__(self) -> int:
        return len({param.id for param in self.raw})

    def __repr__(self) -> str:
        return f"Params({dict(self)})"
