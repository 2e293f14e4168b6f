"""The recognisers that come with the package, as models of the pipeline."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ncnnparam.errors import NcnnParamError
from ncnnparam.examples import example_folder

if TYPE_CHECKING:
    from ncnnparam.pipeline.config import Model

KINDS = ("conv-emformer", "lstm")
"""Their names, which are folders of ``examples/``."""
NEEDS = (
    *(
        "torch",
        "pnnx",
        "ncnn",
        "sherpa_ncnn",
        "kaldi_native_fbank",
        "soundfile",
        "sentencepiece",
        "kaldialign",
    ),
    *("joblib", "msgspec", "jinja2"),
)
"""Modules that some stage needs."""


def require_packages() -> None:
    """Looks for all packages at once, for it takes a while until the last of them is needed.

    Raises:
        NcnnParamError: Some are not installed.
    """
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        raise NcnnParamError(
            f"this needs {', '.join(missing)}, which {'are' if len(missing) > 1 else 'is'} not installed",
            hint='pip install "ncnnparam[pipeline]"',
        )


def demo_model(kind: str, folder: Path) -> Model:
    """The model of a recogniser.

    Args:
        kind: One of ``KINDS``.
        folder: Where its files are to go.

    Raises:
        NcnnParamError: Its config cannot be read.
    """
    from msgspec.structs import replace

    from ncnnparam.pipeline.config_read import read_models

    (model,) = read_models(example_folder() / kind / "ncnnparam.toml")
    return replace(model, name=kind, output=replace(model.output, folder=folder))
