"""The ``ncnnparam`` command: finds the subcommand and turns errors into messages and exit codes.

Exit codes: 0 clean, 1 something was found (differences, problems), 2 trouble.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from importlib import import_module
from typing import Any

import click

from ncnnparam.cli.common import TROUBLE, say
from ncnnparam.errors import NcnnParamError, did_you_mean

# name -> what the overview says; a command's module is loaded when the command is asked for
COMMANDS = {
    "inject-meta": "Add SherpaMetaData to an encoder.",
    "check": "Find what is wrong with a model.",
    "show": "Show what is in a model.",
    "find": "List the layers that a selector means.",
    "diff": "Compare two models.",
    "set": "Change params of layers.",
    "rename": "Rename a layer or a blob.",
    "remove": "Remove layers.",
    "extract": "Cut out the part between some blobs.",
    "opt": "Make a model smaller, or run any passes on it.",
    "passes": "List the passes.",
    "rewrite": "Rewrite a model by rules: what to look for, and what to put there.",
    "fmt": "Write a model in canonical form.",
    "repair": "Repair what pnnx wrote.",
    "convert": "Convert weights to fp16 or bf16, and a graph to or from binary.",
    "calibrate": "Find the scales of int8 by running a model on data.",
    "quantize": "Make an int8 model of a float one.",
    "compare": "Tell how far a model is from another one, on data.",
    "sensitivity": "Tell which layers of an int8 model hurt most.",
    "decode": "Tell what a speech model hears in wavs.",
    "table": "Look at calibration tables, check, edit and merge them.",
    "view": "Draw a model.",
    "explain": "Tell what a layer type or a layer is.",
    "stats": "Count parameters, bytes and multiply-accumulates.",
    "pipeline": "Go the whole way from a checkpoint to a verified int8 model.",
    "demo": "Go the whole way with a recogniser that comes with the package.",
    "completion": "Print the shell completion script.",
}


class LazyGroup(click.Group):
    """A group that imports a command only when it is used, so that every start is fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, the main ones first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"ncnnparam.cli.commands.{cmd_name.replace('-', '_')}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the command, or says which ones have a similar name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = did_you_mean(args[0], COMMANDS)
            ctx.fail(f"there is no command '{args[0]}'." + (f" {hint}" if hint else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands from the table above, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from ncnnparam import __version__

        click.echo(f"ncnnparam {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 clean, 1 something was found, 2 trouble. A file named - is standard input.",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Read, check, edit, quantise and compare ncnn models, and take speech models from PyTorch to int8.

    \b
    ncnnparam check encoder.ncnn.param
    ncnnparam inject-meta encoder.ncnn.param --from-config
    ncnnparam diff old.param new.param
    ncnnparam pipeline run
    """


def main(args: list[str] | None = None) -> None:
    """Runs a command line and exits; a user's mistake is a message and never a traceback."""
    # a graph is many small objects that live to the end; looking for garbage among them takes long
    gc.set_threshold(1_000_000)
    if sys.stdout is None:  # closed by who started us: the first who writes to it shall learn that
        sys.stdout = io.TextIOWrapper(io.FileIO(os.devnull))
    try:
        result: Any = cli.main(args, prog_name="ncnnparam", standalone_mode=False)
        sys.stdout.flush()
    except NcnnParamError as error:
        _fail(str(error))
    except click.ClickException as error:
        error.show()
        sys.exit(TROUBLE)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted")
    except (BrokenPipeError, SystemExit) as stopped:
        if isinstance(stopped, SystemExit) and not stopped.code:
            raise  # the shell completion has given its answer
        # whoever read our output has gone (click exits with 1 then, which would say "found something");
        # keep Python from complaining about it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(TROUBLE)
    except io.UnsupportedOperation:
        _fail("cannot write standard output: it is closed")
    except OSError as error:
        _fail(f"{error.filename or 'output'}: {error.strerror or error}")
    else:
        sys.exit(result if isinstance(result, int) else 0)


def _fail(message: str) -> None:
    say(f"error: {message}")
    sys.exit(TROUBLE)
