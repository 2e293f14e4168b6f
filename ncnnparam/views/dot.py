"""A graph as a drawing, in the dot language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterator

from ncnnparam.graph import INPUT, SPLIT, Blob, Graph, Layer
from ncnnparam.views.layers import named_params
from ncnnparam.views.shapes import shape, shape_text

# nslimit bounds the time that Graphviz spends on straightening edges
_HEAD = """\
digraph model {
  nslimit=1
  node [shape=box style="rounded,filled" fillcolor="#f2f5fa" color="#8090a8" fontname="Helvetica" fontsize=11]
  edge [color="#8090a8" fontname="Helvetica" fontsize=9 fontcolor="#606878" arrowsize=0.6]
"""
_FAR_END = 'shape=plaintext style="" fontsize=9 fontcolor="#606878"'
# In a large drawing an edge over many layers is cut, with the blob's name at both ends: a line could not be
# followed anyway, and Graphviz takes minutes or crashes over a Zipformer's 300 long ones (13 s without).
_LARGE = 200
_FAR = 20
_TERMINAL = 'shape=ellipse style=filled fillcolor="#dceedd"'


def dot(graph: Graph) -> str:
    """The text of a drawing: layers as boxes, Splits as points, blobs as edges with their name and shape."""
    return _HEAD + "".join(f"  {statement}\n" for statement in _statements(graph)) + "}\n"


def _statements(graph: Graph) -> Iterator[str]:
    # names of a model appear only inside quoted labels; nodes are called by number
    numbers = {layer: number for number, layer in enumerate(graph)}
    reach = _FAR if len(graph) > _LARGE else len(graph)
    for layer, number in numbers.items():
        yield f"l{number} [{_look(layer)}]"
    for number, blob in enumerate(graph.blobs):
        name, edge = _quoted(blob.name), f"[label={_quoted(_edge_label(blob))}]"
        above = numbers[blob.producer] if blob.producer is not None else None
        source = f"in{number}" if above is None else f"l{above}"
        if above is None:
            yield f"{source} [label={name} {_TERMINAL} color=red]"
        if not blob.uses:
            yield f"out{number} [label={name} {_TERMINAL}]"
            yield f"{source} -> out{number} {edge}"
        for use, reader in enumerate(blob.consumers):
            below = numbers[reader]
            if above is None or below - above <= reach:
                yield f"{source} -> l{below} {edge}"
            else:
                leaves, comes = f"far{number}_{use}a", f"far{number}_{use}b"
                yield f"{leaves} [label={name} {_FAR_END}]; {source} -> {leaves}"
                yield f"{comes} [label={name} {_FAR_END}]; {comes} -> l{below}"


def _look(layer: Layer) -> str:
    """The attributes of a layer's node; its params show when the mouse rests on it."""
    params = " ".join(map(str, named_params(layer)))
    tip = f"tooltip={_quoted(' '.join([layer.type, layer.name, params]).strip())}"
    if layer.type == SPLIT:
        return f'shape=point width=0.08 label="" {tip}'
    label = f"label={_quoted(layer.type, layer.name)} {tip}"
    return f"{label} {_TERMINAL}" if layer.type == INPUT else label


def _edge_label(blob: Blob) -> str:
    sizes = shape(blob)
    return f"{blob.name} {shape_text(sizes)}" if sizes else blob.name


def _quoted(*lines: str) -> str:
    r"""Lines as one quoted string: no quote ends it, nor do ``\N`` and ``&amp;`` mean anything in it."""
    return '"' + "\\n".join(_escaped(line) for line in lines) + '"'


def _escaped(text: str) -> str:
    text = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
