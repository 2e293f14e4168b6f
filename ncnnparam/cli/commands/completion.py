"""``ncnnparam completion``: the script that lets a shell complete commands, options and names."""

from __future__ import annotations

import os
from pathlib import PurePath

import click

SHELLS = ("bash", "zsh", "fish")


@click.command(name="completion")
@click.argument("shell", required=False, type=click.Choice(SHELLS))
def command(shell: str | None) -> None:
    """Print the completion script for a shell, by default the one in $SHELL.

    With it, TAB completes commands, options and files, and names of layers and blobs out of the model.

    \b
    ncnnparam completion bash > ~/.local/share/bash-completion/completions/ncnnparam
    ncnnparam completion zsh > "${fpath[1]}/_ncnnparam"
    ncnnparam completion fish > ~/.config/fish/completions/ncnnparam.fish
    """
    from click.shell_completion import get_completion_class

    from ncnnparam.cli.main import cli

    shell = shell or PurePath(os.environ.get("SHELL", "")).name
    completer = get_completion_class(shell) if shell in SHELLS else None
    if completer is None:
        raise click.UsageError(f"the shell is not known from $SHELL: name one of {', '.join(SHELLS)}")
    click.echo(completer(cli, {}, "ncnnparam", "_NCNNPARAM_COMPLETE").source())
