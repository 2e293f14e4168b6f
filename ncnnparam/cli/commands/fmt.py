"""``ncnnparam fmt``: one way to write a file."""

from __future__ import annotations

import click

from ncnnparam.cli.common import FOUND, PATH_OR_STREAM, TROUBLE, changed_lines, emit, max_size_option, say


@click.command(name="fmt")
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=PATH_OR_STREAM)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a file is not in canonical form.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@click.option("--drop-trailing", is_flag=True, help="Leave out what stands behind the declared layers.")
@click.option("--backup", is_flag=True, help="Keep the old file as FILE.bak.")
@click.option(
    "-o", "--output", metavar="OUT", help="Where to write, for a single MODEL; - is standard output."
)
@max_size_option
def command(
    models: tuple[str, ...],
    check: bool,
    diff: bool,
    drop_trailing: bool,
    backup: bool,
    output: str | None,
    max_size: int,
) -> int:
    """Write models in ncnn's canonical form: padded columns, single blanks, Unix line ends.

    Layers, names and params stay as they are, params with their spelling. A file whose layer count is wrong,
    or with text behind its layers, is left alone and reported. What comes from - goes to standard output.

    \b
    ncnnparam fmt encoder.ncnn.param decoder.ncnn.param
    ncnnparam fmt --check *.param
    ncnnparam fmt --diff encoder.ncnn.param
    ncnnparam fmt - < encoder.ncnn.param > canonical.param
    """
    from ncnnparam.errors import NcnnParamError

    if output is not None and len(models) > 1:
        raise click.UsageError("-o takes one MODEL")
    differ = failed = 0
    for model in models:
        try:
            differ += _format(
                model,
                output or model,
                dry=check or diff,
                diff=diff,
                drop=drop_trailing,
                backup=backup,
                max_size=max_size,
            )
        except NcnnParamError as error:
            say(f"error: {error}")
            failed += 1
    if len(models) > 1:
        verb = "would change" if check or diff else "changed"
        say(
            f"{verb} {differ} of {len(models)} files"
            + (f", {failed} could not be formatted" if failed else "")
        )
    if failed:
        return TROUBLE
    return FOUND if check and differ else 0


def _format(
    model: str, target: str, *, dry: bool, diff: bool, drop: bool, backup: bool, max_size: int
) -> bool:
    """Formats one file, or tells what would change; returns whether it was in another form."""
    from ncnnparam.syntax import parse, read_text, source_name, write_atomic
    from ncnnparam.views.canonical import canonical

    old = read_text(model, max_size=max_size)
    name = source_name(model) or model
    new = canonical(parse(old, name=name), drop_trailing=drop)
    if diff:
        emit(changed_lines(old, new, name, context=3))
    if dry:
        if new != old:
            say(f"would change {name}")
    elif target == "-":
        emit(new)
    elif new != old or target != model:
        write_atomic(target, new, backup=backup)
        say(f"wrote {target}")
    return new != old
