"""The graph: layers in order, blobs between them, and the edits that keep them in step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import translate
from typing import Any

from ncnnparam.errors import GraphError, NotFoundError, did_you_mean
from ncnnparam.graph import arrange, edit, subgraph
from ncnnparam.graph.layer import INPUT, Blob, Layer
from ncnnparam.graph.names import NameTable
from ncnnparam.graph.order import LayerList
from ncnnparam.syntax import ParamFile, Value

Params = Mapping[int, "Value | list[int | float]"]


class Graph:
    """An editable ncnn graph.

    After every edit each blob has one producer and at most one reader (Split layers come and go by
    themselves), names are unique, and each layer stands below those it reads from. An edit that cannot be
    done raises ``GraphError`` and changes nothing. A graph read from a broken file keeps its faults until
    they are repaired (``ncnnparam.checks``).
    """

    def __init__(self) -> None:
        self._layers = LayerList()
        self._layer_names: NameTable[Layer] = NameTable()
        self._blob_names: NameTable[Blob] = NameTable()
        self._syntax: ParamFile | None = None
        self._newline = "\n"

    # ---- looking ----------------------------------------------------------------------------------

    @property
    def layers(self) -> LayerList:
        """The layers in their order. A walk over them may edit the graph."""
        return self._layers

    def __iter__(self) -> Iterator[Layer]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    @property
    def layer_count(self) -> int:
        """Number of layers, the first count of a file's header."""
        return len(self._layers)

    @property
    def blob_count(self) -> int:
        """Number of blobs, the second count of a file's header."""
        orphans = {id(blob) for layer in self for blob in layer._inputs if blob._producer is None}
        return sum(len(layer._outputs) for layer in self) + len(orphans)

    @property
    def declared(self) -> tuple[int, int] | None:
        """The counts of layers and blobs that the file declared, or None for a graph made in memory."""
        header = self._syntax.header if self._syntax else None
        return (header.layer_count, header.blob_count) if header else None

    @property
    def syntax(self) -> ParamFile | None:
        """The syntax tree that the graph was read from, or None."""
        return self._syntax

    @property
    def blobs(self) -> Iterator[Blob]:
        """All blobs, in the order in which ncnn meets them."""
        seen: set[int] = set()
        for layer in self:
            for blob in (*layer._inputs, *layer._outputs):
                if id(blob) not in seen:
                    seen.add(id(blob))
                    yield blob

    @property
    def inputs(self) -> list[Blob]:
        """What the network is fed: outputs of Input layers, and blobs that no layer writes."""
        return [blob for blob in self.blobs if blob._producer is None or blob._producer.type == INPUT]

    @property
    def outputs(self) -> list[Blob]:
        """What the network gives: the blobs that no layer reads."""
        return [blob for layer in self for blob in layer._outputs if not blob._uses]

    def layer(self, name: str) -> Layer:
        """The layer of this name.

        Raises:
            NotFoundError: There is none; the error names near ones.
        """
        found = self._layer_names.first.get(name)
        if found is None:
            hint = did_you_mean(name, self._layer_names.first)
            raise NotFoundError(f"there is no layer '{name}'", hint=hint)
        return found

    def blob(self, name: str) -> Blob:
        """The blob of this name.

        Raises:
            NotFoundError: There is none; the error names near ones.
        """
        found = self._blob_names.first.get(name)
        if found is None:
            raise NotFoundError(f"there is no blob '{name}'", hint=did_you_mean(name, self._blob_names.first))
        return found

    def has_layer(self, name: str) -> bool:
        """Whether there is a layer of this name."""
        return name in self._layer_names.first

    def has_blob(self, name: str) -> bool:
        """Whether there is a blob of this name."""
        return name in self._blob_names.first

    def find(self, type: str | None = None, *, name: str | None = None) -> list[Layer]:
        """The layers whose type and name match globs, in order: ``find("Conv*", name="enc.*")``."""
        tests = [
            (attribute, re.compile(translate(glob)).match)
            for attribute, glob in (("_type", type), ("_name", name))
            if glob is not None
        ]
        return [layer for layer in self if all(test(getattr(layer, attr)) for attr, test in tests)]

    def fresh_layer_name(self, stem: str) -> str:
        """A layer name that is free: the stem and a number."""
        return self._layer_names.fresh(stem)[0]

    def fresh_blob_name(self, stem: str) -> str:
        """A blob name that is free: the stem and a number."""
        return self._blob_names.fresh(stem)[0]

    # ---- adding layers ----------------------------------------------------------------------------

    def add(
        self,
        type: str,
        name: str | None = None,
        *,
        inputs: Blob | str | Iterable[Blob | str] = (),
        outputs: int | Iterable[str] = 1,
        params: Params | None = None,
        before: Layer | None = None,
        after: Layer | None = None,
        **named: Any,
    ) -> Layer:
        """Adds a layer that reads the given blobs.

        Args:
            type: Layer type.
            name: Layer name; by default the type in lower case and a number.
            inputs: Blobs or their names. One that is read already gets a Split.
            outputs: Names of the new blobs, or how many; one blob is then named like the layer.
            params: Params by id.
            before: Stand before this layer; by default the new layer is the last one.
            after: Stand behind this layer.
            named: Params by name, as in ncnn's source.

        Raises:
            GraphError: A name is taken, an input is written below, or a param cannot be written.
        """
        return edit.add(self, type, name, inputs, outputs, params, before, after, named)

    def append(self, type: str, name: str | None = None, **options: Any) -> Layer:
        """Adds a layer at the end; takes what ``add`` takes."""
        return self.add(type, name, **options)

    def insert_at(self, index: int, type: str, name: str | None = None, **options: Any) -> Layer:
        """Adds a layer at a position, counted from the end if negative; takes what ``add`` takes."""
        if index == len(self):
            return self.add(type, name, **options)
        if not -len(self) <= index < len(self):
            raise GraphError(f"the graph has {len(self)} layers, none at {index}")
        return self.add(type, name, before=self._layers[index], **options)

    def insert_after(
        self,
        layer: Layer,
        type: str,
        name: str | None = None,
        *,
        output: int = 0,
        params: Params | None = None,
        **named: Any,
    ) -> Layer:
        """Puts a layer of one input and one output behind an output of a layer.

        All who read that output read the new layer instead. When nobody does, the output is one of the
        network's: the new layer takes over its name.
        """
        if not 0 <= output < len(layer.outputs):
            has = f"{len(layer.outputs)} outputs, none of number {output}"
            raise GraphError(f"layer '{layer.name}' has {has}")
        return edit.insert_on(self, layer.outputs[output], type, name, params, named)

    def insert_before(
        self,
        layer: Layer,
        type: str,
        name: str | None = None,
        *,
        input: int = 0,
        params: Params | None = None,
        **named: Any,
    ) -> Layer:
        """Puts a layer of one input and one output before one input of a layer; no other reader sees it."""
        return edit.insert_before(self, layer, input, type, name, params, named)

    def insert_on(
        self,
        blob: Blob | str,
        type: str,
        name: str | None = None,
        *,
        params: Params | None = None,
        **named: Any,
    ) -> Layer:
        """Puts a layer of one input and one output between a blob's producer and all who read it."""
        return edit.insert_on(self, self._own_blob(blob), type, name, params, named)

    # ---- changing layers --------------------------------------------------------------------------

    def remove(self, layer: Layer, *, reconnect: bool = True, keep: int | None = None) -> None:
        """Removes a layer.

        Args:
            layer: The layer.
            reconnect: Let those who read its output read its input instead.
            keep: Which input to reconnect when it has several.

        Raises:
            GraphError: It has no input or no single output to reconnect, or its outputs are read and
                ``reconnect`` is false.
        """
        edit.remove(self, layer, reconnect=reconnect, keep=keep)

    def replace(
        self,
        layer: Layer,
        type: str,
        name: str | None = None,
        *,
        params: Params | None = None,
        **named: Any,
    ) -> Layer:
        """Makes a layer one of another type with other params; blobs, place and, by default, name stay."""
        return edit.replace(self, layer, type, name, params, named)

    def move(self, layer: Layer, *, before: Layer | None = None, after: Layer | None = None) -> None:
        """Moves a layer to another place.

        Raises:
            GraphError: It would stand above a layer it reads from, or below one that reads it.
        """
        edit.move(self, layer, before, after)

    def set_input(self, layer: Layer, index: int, blob: Blob | str) -> None:
        """Lets a layer read another blob as input ``index``; Splits are made and removed as needed.

        Raises:
            GraphError: The blob is written below the layer.
        """
        edit.set_input(self, layer, index, self._own_blob(blob))

    def replace_uses(self, old: Blob | str, new: Blob | str) -> None:
        """Lets all who read ``old`` read ``new``.

        Raises:
            GraphError: ``new`` is written below one of them, or by one of them.
        """
        edit.replace_uses(self, self._own_blob(old), self._own_blob(new))

    def rename_layer(self, old: str, new: str) -> None:
        """Renames a layer."""
        self.layer(old).name = new

    def rename_blob(self, old: str, new: str) -> None:
        """Renames a blob wherever it stands."""
        self.blob(old).name = new

    def split_fanout(self) -> list[Layer]:
        """Gives a Split to every blob that is read more than once; returns the Splits, new or widened."""
        return edit.split_fanout(self)

    # ---- whole graphs -----------------------------------------------------------------------------

    def extract(self, inputs: Iterable[str], outputs: Iterable[str]) -> Graph:
        """A new graph that computes some blobs from some others.

        Args:
            inputs: Blobs that the new graph is fed; each gets an Input layer.
            outputs: Blobs that the new graph gives.

        Raises:
            NotFoundError: There is no blob of that name.
            GraphError: An output needs an input of the network that is not among ``inputs``.
        """
        return subgraph.extract(self, inputs, outputs)

    def concat(self, other: Graph, *, prefix: str = "", connect: Mapping[str, str] | None = None) -> None:
        """Adds the layers of another graph at the end.

        Args:
            other: The other graph; it stays as it is.
            prefix: Put before its layer and blob names.
            connect: Which of its inputs read which blob of this graph; their Input layers are left out.

        Raises:
            GraphError: A name is taken; give a prefix.
        """
        subgraph.concat(self, other, prefix, connect or {})

    def sort(self) -> bool:
        """Orders the layers so that each stands below those it reads from; sound parts keep their order.

        Returns:
            Whether anything moved.

        Raises:
            GraphError: Layers read each other in a circle.
        """
        return arrange.sort(self)

    def remove_dead(self, outputs: Iterable[str] | None = None) -> list[Layer]:
        """Removes the layers that the wanted outputs do not need; Input layers stay.

        Args:
            outputs: Names of the wanted blobs; by default all that nobody reads, those of a Split aside.

        Returns:
            The removed layers.
        """
        return arrange.remove_dead(self, outputs)

    def copy(self) -> Graph:
        """A graph of its own that says the same, and prints the same."""
        return subgraph.copy(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Graph):
            return NotImplemented
        return len(self) == len(other) and all(
            _says(one) == _says(two) for one, two in zip(self, other, strict=True)
        )

    # ---- for the modules of this package ------------------------------------------------------------

    def _own_blob(self, blob: Blob | str) -> Blob:
        found = self.blob(blob) if isinstance(blob, str) else blob
        if found.graph is not self:
            raise GraphError(f"{found!r} is not in this graph")
        return found

    def _check_layer(self, layer: Layer) -> None:
        if layer.graph is not self:
            raise GraphError(f"{layer!r} is not in this graph")

    def _rename_layer(self, layer: Layer, name: str) -> None:
        if name != layer.name:
            edit.check_layer_name(self, name)
            self._layer_names.remove(layer.name, layer)
            layer._name = name
            self._layer_names.add(name, layer)

    def _rename_blob(self, blob: Blob, name: str) -> None:
        if name != blob.name:
            edit.check_blob_names(self, [name])
            self._set_blob_name(blob, name)

    def _set_blob_name(self, blob: Blob, name: str) -> None:
        self._blob_names.remove(blob.name, blob)
        blob._name = name
        self._blob_names.add(name, blob)

    def _forget_layer(self, layer: Layer) -> None:
        self._layers.remove(layer)
        self._layer_names.remove(layer.name, layer)
        layer._graph = None

    def _forget_blob(self, blob: Blob) -> None:
        self._blob_names.remove(blob.name, blob)
        blob._graph = None


def _says(layer: Layer) -> tuple[object, ...]:
    return (
        layer.type,
        layer.name,
        [blob.name for blob in layer.inputs],
        [blob.name for blob in layer.outputs],
        {param.id: param.meaning for param in layer.params.raw},
    )
