"""What is shown of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncnnparam.cli.pipeline_view import View, told, view
from ncnnparam.pipeline.events import (
    Advanced,
    Cached,
    Done,
    Event,
    Failed,
    Planned,
    Said,
    Skipped,
    Started,
)

EVENTS: list[tuple[Event, list[str]]] = [
    (Skipped("m", "source", "no repository"), ["not needed: no repository"]),
    (Cached("m", "tokens", ("old",)), ["up to date", "warning: old"]),
    (Started("m", "check", "not done yet"), ["... not done yet"]),
    (Advanced("m", "check", 1, 2), []),
    (Said("m", "check", "fine"), ["    fine"]),
    (Done("m", "check", 1.26, ("odd",)), ["done in 1.3 s", "warning: odd"]),
    (Planned("m", "verify", "after check"), ["to do: after check"]),
    (Failed("m", "report"), ["failed"]),
]


@pytest.mark.parametrize(("event", "lines"), EVENTS)
def test_lines(event: Event, lines: list[str]) -> None:
    assert list(told(event)) == lines


def test_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    with view("text", several=True) as shown:
        for event, _ in EVENTS:
            shown(event)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[:3] == [
        "m source     not needed: no repository",
        "m tokens     up to date",
        "m tokens     warning: old",
    ]
    assert shown.problems == ["old", "odd"]


def test_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    with view("json", several=False) as shown:
        for event, _ in EVENTS:
            shown(event)
    assert type(shown) is View
    assert capsys.readouterr() == ("", "")
    assert shown.as_json({"m": Path("out"), "other": Path("out2")}) == [
        {
            "name": "m",
            "folder": "out",
            "stages": [
                {"stage": "source", "state": "skipped", "why": "no repository"},
                {"stage": "tokens", "state": "cached", "problems": ["old"]},
                {"stage": "check", "state": "run", "seconds": 1.26, "problems": ["odd"]},
                {"stage": "verify", "state": "to do", "why": "after check"},
            ],
        },
        {"name": "other", "folder": "out2", "stages": []},
    ]
