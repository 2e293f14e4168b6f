"""``--help`` of the program and of every command shows examples, each on a line of its own."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator

import click
import pytest

from ncnnparam.cli.main import COMMANDS, cli

from .conftest import Result


def examples(name: str) -> str:
    """The paragraph of a docstring that click is told to keep as it is; without a name, the program's."""
    command = cli.get_command(click.Context(cli), name) if name else cli
    assert command is not None
    assert command.help is not None
    return inspect.cleandoc(command.help).partition("\n\b\n")[2].partition("\n\n")[0]


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_shows_the_examples_line_by_line(run: Callable[..., Result], name: str) -> None:
    result = run(*name.split(), "--help")
    assert (result.exit_code, result.err) == (0, "")
    assert examples(name)
    assert f"\n\n{textwrap.indent(examples(name), '  ')}\n\n" in result.out
    assert "\\b" not in result.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_runs_the_command(name: str) -> None:
    lines = re.sub(r"\\\n\s*", "", examples(name)).splitlines()
    assert lines
    assert all(re.match(rf"(.+ \| )?ncnnparam {name}\b", line) for line in lines)


def commands(group: click.Group) -> Iterator[click.Command]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield from commands(command) if isinstance(command, click.Group) else [command]


def test_click_does_not_look_at_files_whose_errors_have_codes() -> None:
    paths = [
        param.type
        for command in commands(cli)
        for param in command.params
        if isinstance(param.type, click.Path)
    ]
    assert paths
    assert not any(path.exists or path.readable for path in paths)
