"""``ncnnparam passes``: what passes there are."""

from __future__ import annotations

import sys

import click

from ncnnparam.cli.common import emit, emit_json, format_option


@click.command(name="passes")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@format_option
def command(names: tuple[str, ...], form: str) -> None:
    """List the passes that opt can run, each with what it does.

    A NAME is a pass, a family of passes or a glob. Plugins add passes of their own (docs/writing-passes.md).

    \b
    ncnnparam passes
    ncnnparam passes 'fuse-*'
    ncnnparam passes optimize --format json
    """
    from ncnnparam.passes import catalog

    family = {name: group for group, members in catalog.families().items() for name in members}
    chosen = names or catalog.names()
    found = {name: text for word in chosen for name, text in catalog.describe(catalog.find(word))}
    if form == "json":
        emit_json(
            [{"name": name, "family": family.get(name), "summary": text} for name, text in found.items()]
        )
    elif sys.stdout.isatty():
        from ncnnparam.cli.table import print_table

        print_table(("pass", "what it does"), [[name, text] for name, text in found.items()])
    else:
        width = max(map(len, found), default=0)
        emit("".join(f"{name:<{width}}  {text}\n" for name, text in found.items()))
