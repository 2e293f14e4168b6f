"""What layer types mean: the names, types and defaults of their params, kept as data.

``registry`` answers questions about layer types; ``builtin.json`` holds what ncnn itself knows and
``sherpa.json`` the layers that sherpa-ncnn adds. A params row reads ``[id, name, type, default]``.
"""

from ncnnparam.ops.registry import LayerType, ParamSpec, get, names, suggest

__all__ = ["LayerType", "ParamSpec", "get", "names", "suggest"]
