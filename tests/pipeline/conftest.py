"""Small models and runs of the pipeline on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.config_read import read_models
from ncnnparam.pipeline.events import Done, Event, Started
from ncnnparam.pipeline.runner import Options, run

from .small import config, write_model

Project = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """``project(more="[quantize]...")``: writes a small model and its config; gives the config."""

    def make(text: str | None = None, **parts: str) -> Path:
        write_model(tmp_path)
        path = tmp_path / "ncnnparam.toml"
        path.write_text(text if text is not None else config(**parts), encoding="utf-8")
        return path

    return make


def run_all(path: Path, options: Options | None = None) -> list[Event]:
    """Runs the models of a config; what happened."""
    events: list[Event] = []
    run(read_models(path), options or Options(), events.append)
    return events


def ran(events: list[Event]) -> list[str]:
    """The stages that did their work."""
    return [event.stage for event in events if isinstance(event, Done)]


def reasons(events: list[Event]) -> dict[str, str]:
    """Why stages did their work."""
    return {event.stage: event.why for event in events if isinstance(event, Started)}


def only_model(path: Path) -> Model:
    """The model of a config that has one."""
    (model,) = read_models(path)
    return model
