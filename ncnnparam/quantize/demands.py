"""What layers of fixed weights demand of their inputs. ncnn does not look, and reads past the weights."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from ncnnparam.errors import BadItemError
from ncnnparam.quantize.int8_form import int8_form
from ncnnparam.weights.layout import describe

if TYPE_CHECKING:
    from ncnnparam.graph import Layer

_FILTERS = 4
"""Axes of the weights of a layer of images: outputs, channels in a group, height, width."""
_MATRIX, _IMAGE = 2, 3
"""Axes of inputs."""


@dataclass(frozen=True)
class Demand:
    """What one layer demands of its input.

    Attributes:
        blob: The input.
        layer: The layer, as messages name it.
        size: How many channels an image has to have, or how many numbers a row.
        of_images: The layer takes images. Otherwise it takes a row, rows, or what is one row when laid flat.
        any_axes: Rows may lie in more axes than those of a matrix.
    """

    blob: str
    layer: str
    size: int
    of_images: bool = False
    any_axes: bool = False

    def require(self, shape: tuple[int, ...]) -> None:
        """Makes sure that the layer can be computed of an input of some shape.

        Raises:
            BadItemError: It cannot.
        """
        if self.of_images:
            channels = {1: prod(shape), _MATRIX: 1, _IMAGE: shape[0]}.get(len(shape))
            fits = channels == self.size
        else:
            are_rows = self.any_axes or len(shape) <= _MATRIX
            fits = prod(shape) == self.size or (are_rows and shape[-1] == self.size)
        if not fits:
            wanted = f"an image of {self.size} channels" if self.of_images else f"rows of {self.size} numbers"
            raise BadItemError(f"blob '{self.blob}' has the shape {shape}, and {self.layer} takes {wanted}")


def demands(layers: Iterable[Layer], lowered: Container[str] = ()) -> Iterator[Demand]:
    """The demands of layers that need the scale of their input.

    Args:
        layers: Some of ``rows.calibrated_layers``.
        lowered: Names of those that are Gemm in the file.
    """
    for layer in layers:
        form = int8_form(layer)
        assert form is not None
        shape = form.scaled[0].weights.shape
        group = layer["group"] if layer.type == "ConvolutionDepthWise" else 1
        if len(shape) in (_MATRIX, _FILTERS) and isinstance(group, int):
            yield Demand(
                layer.inputs[0].source.name,
                describe(layer),
                shape[1] * group,
                len(shape) == _FILTERS,
                layer.name in lowered,
            )
