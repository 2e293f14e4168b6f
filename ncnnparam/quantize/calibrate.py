"""Calibration: by which scales int8 numbers stand for the inputs of layers, from runs on data.

``prepare_net`` and ``prepare_transducer`` say what is to be run and looked at, ``collect`` runs it, and
``Part.table`` makes the table. ``calibrate`` does it all for one net.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from ncnnparam.errors import ConfigError
from ncnnparam.graph import Graph, Layer
from ncnnparam.model import load
from ncnnparam.quantize.collect import collect
from ncnnparam.quantize.data import Inputs, Items, array_items
from ncnnparam.quantize.equalize import equalize
from ncnnparam.quantize.guard import find_demands, guard
from ncnnparam.quantize.histogram import Histogram
from ncnnparam.quantize.lower_gemm import gains, lower_gemm
from ncnnparam.quantize.rows import calibrated_layers, make_table
from ncnnparam.quantize.runners import NetRunner, Pair, TransducerRunner, Wanted
from ncnnparam.quantize.statistics import Statistics
from ncnnparam.quantize.table import Table
from ncnnparam.quantize.thresholds import COMPAT, DEFAULT, METHODS, Method, input_scale
from ncnnparam.runtime.session import custom_types, require_sound
from ncnnparam.speech.files import NetFiles
from ncnnparam.speech.inject import required_metadata
from ncnnparam.speech.transducer import require_sound_nets

EQ = "eq"
"""The method that tries scales on int8 layers; it needs the net itself, and starts from ``kl``."""


MATRIX = 2
"""Axes of an input for which Gemm and InnerProduct do the same."""


@dataclass(frozen=True)
class Part:
    """A net that gets a table.

    Attributes:
        graph: Its graph, as it will be quantised.
        net: Its name in statistics, ``encoder`` for example; empty if there is but one net.
        lowered: Layers that are Gemm in the file. They get rows only if their inputs are matrices.
        compat: Make the rows as the C++ tools do.
    """

    graph: Graph
    net: str = ""
    lowered: frozenset[str] = frozenset()
    compat: bool = False

    @property
    def layers(self) -> list[Layer]:
        """The layers whose inputs are looked at."""
        return calibrated_layers(self.graph)

    @property
    def blobs(self) -> tuple[str, ...]:
        """The blobs to look at, each once."""
        return tuple(dict.fromkeys(layer.inputs[0].source.name for layer in self.layers))

    def histogram(self, layer: Layer, statistics: Statistics) -> Histogram:
        """What a layer's input held."""
        name = layer.inputs[0].source.name
        return statistics.blobs[f"{self.net}/{name}" if self.net else name]

    def input_scales(self, statistics: Statistics, method: Method) -> dict[str, np.float32]:
        """The scales of the layers' inputs, by layer.

        A layer whose input was always 0 has none, since nothing is known of it; with ``compat`` it has
        infinity. A Gemm has none either if its input was no matrix, or if it is nearer to float as it is.

        Raises:
            ConfigError: Nothing was run.
        """
        if self.layers and not statistics.items:
            raise ConfigError(
                "nothing was run, so there is nothing to make a table of",
                hint=f"{len(self.layers)} layers need the scale of their input: give data",
            )
        scales = {}
        for layer in self.layers:
            histogram = self.histogram(layer, statistics)
            if layer.name in self.lowered and histogram.axes != {MATRIX}:
                continue
            threshold = method(histogram)
            if not self.compat and np.isinf(threshold):  # nothing can be told of runs of one number
                threshold = histogram.absmax
            if layer.name in self.lowered and not gains(layer, histogram, threshold):
                continue
            if threshold or self.compat:
                scales[layer.name] = input_scale(threshold)
        return scales

    def table(self, statistics: Statistics, method: str | None = None, how: Method | None = None) -> Table:
        """The table of this net.

        Args:
            statistics: What its blobs held.
            method: One of ``METHODS``; by default ``mse``, with ``compat`` ``kl``.
            how: The method itself, where it is called otherwise than by its defaults.

        Raises:
            ConfigError: Nothing was run.
        """
        method = method or (COMPAT if self.compat else DEFAULT)
        scales = self.input_scales(statistics, how or METHODS[method])
        without = self.lowered - scales.keys()
        return make_table(self.graph, scales, method, compat=self.compat, without=without)

    def dead(self, statistics: Statistics) -> list[str]:
        """The layers whose input was always 0, so that they stay float."""
        return [layer.name for layer in self.layers if self.histogram(layer, statistics).absmax == 0]


def prepare_net(
    param: str | os.PathLike[str],
    weights: str | os.PathLike[str],
    *,
    lower: bool = True,
    compat: bool = False,
    preparation: str = "",
    digests: bool = False,
) -> tuple[NetRunner, Part]:
    """What to run and to look at in one net.

    Args:
        param: Its graph.
        weights: Its weights.
        lower: Give rows to Gemm layers that are nearer to float as InnerProduct; see ``lower_gemm``.
        compat: Make rows as ncnn2table does.
        preparation: How items were made; statistics with another one do not go together.
        digests: Statistics will be made, which need digests of the files: takes them while a child process
            loads the net.

    Raises:
        NcnnParamError: The files do not fit each other, or ncnn cannot load them.
    """
    files = os.fspath(param), os.fspath(weights)
    graph = load(*files).graph
    found = find_demands(graph)  # of the layers in the file, some of which are others then
    part = _part(graph, "", lower, compat)
    types = custom_types(graph)
    way = guard(found, [blob for layer in part.layers for blob in layer.outputs])
    runner = NetRunner(files, part.blobs, types, preparation, way)
    require_sound(*files, types, runner.settings if digests else None)
    return runner, part


def prepare_transducer(
    encoder: Pair,
    decoder: Pair,
    joiner: Pair,
    *,
    lower: bool = True,
    compat: bool = False,
    digests: bool = False,
) -> tuple[TransducerRunner, Part, Part]:
    """What to run and to look at in a streaming transducer; the decoder is never quantised.

    Args:
        encoder: ``.param`` and ``.bin`` of the encoder, with its ``SherpaMetaData``.
        decoder: Those of the decoder.
        joiner: Those of the joiner.
        lower: See ``prepare_net``.
        compat: Do as generate-int8-scale-table does.
        digests: See ``prepare_net``.

    Returns:
        The runner, and the encoder and the joiner, which get tables.

    Raises:
        ConfigError: The decoder or the joiner is something else.
        NcnnParamError: Some files do not fit each other, or ncnn cannot load them.
        MetadataError: The encoder has no metadata.
    """
    first, last = (
        _part(load(*files).graph, net, lower, compat)
        for net, files in (("encoder", encoder), ("joiner", joiner))
    )
    metadata = required_metadata(first.graph, encoder[0])
    types = custom_types(first.graph)
    wanted = Wanted(first.blobs, last.blobs)
    runner = TransducerRunner(encoder, decoder, joiner, metadata, wanted, types, compat)
    require_sound_nets(NetFiles(encoder, decoder, joiner), types, runner.settings if digests else None)
    return runner, first, last


def calibrate(
    param: str | os.PathLike[str],
    weights: str | os.PathLike[str],
    data: Items | Iterable[Inputs],
    method: str | None = None,
    *,
    lower: bool = True,
    compat: bool = False,
    jobs: int = 1,
    advance: Callable[[int], None] | None = None,
) -> Table:
    """The calibration table of one net.

    Args:
        param: Its graph.
        weights: Its weights.
        data: What to run it on: items from files, or the inputs of each run by blob name.
        method: One of ``METHODS``, or ``eq``; see ``Part.table``.
        lower: Give rows to Gemm layers that are nearer to float as InnerProduct; see ``lower_gemm``.
        compat: Make rows as ncnn2table does.
        jobs: In how many processes to run; with more than one, joblib's backend runs them.
        advance: Is called after each item with 1.

    Raises:
        BadItemError: An item cannot be run; the text names all that are bad.
        NcnnParamError: The net cannot be loaded.
    """
    if method not in (None, EQ, *METHODS):
        raise ConfigError(f"there is no method '{method}'", hint=f"there are {', '.join([*METHODS, EQ])}")
    items = data if isinstance(data, Items) else array_items(data)
    items.require_good()
    runner, part = prepare_net(param, weights, lower=lower, compat=compat, digests=True)
    statistics = Statistics()
    collect(runner, items.good, statistics, jobs=jobs, advance=advance)
    if method != EQ:
        return part.table(statistics, method)
    table = part.table(statistics, COMPAT)
    equalize(runner, part.layers, items.good, table)
    return table


def _part(graph: Graph, net: str, lower: bool, compat: bool) -> Part:
    lowered = lower_gemm(graph) if lower and not compat else []
    return Part(graph, net, frozenset(layer.name for layer in lowered), compat)
