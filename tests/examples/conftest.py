"""The examples, importable and loaded."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ncnnparam.examples import example_folder

torch = pytest.importorskip("torch")

KINDS = ("conv-emformer", "lstm")


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The modules of `demo_transducer` by name."""
    monkeypatch.syspath_prepend(str(example_folder()))
    names = ("layers", "conv_emformer", "lstm", "transducer", "export")
    return SimpleNamespace(**{name: importlib.import_module(f"demo_transducer.{name}") for name in names})


@pytest.fixture
def folder() -> Path:
    """The folder `examples`."""
    return example_folder()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each of the two models."""
    return str(request.param)


@pytest.fixture
def checkpoint(folder: Path, kind: str) -> dict[str, Any]:
    """The shipped checkpoint of a model."""
    loaded: dict[str, Any] = torch.load(folder / kind / "model.pt", weights_only=True)
    return loaded


@pytest.fixture
def model(modules: SimpleNamespace, kind: str, checkpoint: dict[str, Any]) -> Any:
    """A shipped model, in torch."""
    return getattr(modules.export, f"{kind.replace('-', '_')}_transducer")(checkpoint)
