"""``ncnnparam check``: findings of all rules, and repairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ncnnparam.cli.common import FOUND, TROUBLE, changed_lines, emit, max_size_option, ops_option, say

if TYPE_CHECKING:
    from ncnnparam.checks import Finding, Rule
    from ncnnparam.checks.report import Checked
    from ncnnparam.graph import Graph

FORMATS = ("text", "json", "github", "sarif")


@click.command(
    name="check",
    epilog="Exit codes: 0 no errors or warnings, 1 some, 2 a file that cannot be read or is no .param file.",
)
@click.argument("models", metavar="MODEL...", nargs=-1, required=True)
@click.option("--fix", is_flag=True, help="Repair in place what has one right answer.")
@click.option(
    "--unsafe-fixes", is_flag=True, help="With --fix or --diff: also delete text behind the last layer."
)
@click.option("--diff", "show_diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to report."
)
@click.option(
    "--select", metavar="RULES", multiple=True, help="Use only these rules: NP201,NP1,layer-count ..."
)
@click.option("--ignore", metavar="RULES", multiple=True, help="Leave out these rules.")
@click.option(
    "--strict", is_flag=True, help="Take only what ncnn 1.0.20261020 reads; the rest is a syntax error."
)
@ops_option
@max_size_option
def command(
    models: tuple[str, ...],
    fix: bool,
    unsafe_fixes: bool,
    show_diff: bool,
    form: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    strict: bool,
    max_size: int,
) -> int:
    """Find what is wrong with a model, and repair it.

    Every finding has a code, a place and a cure; docs/rules has a page on each. A MODEL named - is standard
    input; with --fix the repaired model then goes to standard output and the findings to standard error.

    \b
    ncnnparam check encoder.ncnn.param
    ncnnparam check --fix encoder.ncnn.param
    ncnnparam check --diff encoder.ncnn.param
    ncnnparam check --format sarif *.param > findings.sarif
    ncnnparam check --select NP2 --ignore dangling-blob - < encoder.ncnn.param
    """
    from ncnnparam.checks.report import Checked
    from ncnnparam.checks.selection import select_rules
    from ncnnparam.errors import FileError

    if strict and (fix or show_diff):
        raise click.UsageError(
            "--strict takes a file as ncnn does, --fix and --diff repair it: take one of them"
        )
    if fix and show_diff:
        raise click.UsageError("--fix changes the file and --diff only shows the changes: take one of them")
    rules = select_rules(_all_rules(), _words(select), _words(ignore))
    files: list[Checked] = []
    trouble = changed = False
    for model in models:
        try:
            findings, broken, differs = _check(
                model,
                rules,
                strict=strict,
                max_size=max_size,
                fix=fix,
                unsafe=unsafe_fixes,
                show_diff=show_diff,
            )
        except FileError as error:
            say(f"error: {error}")
            trouble = True
            continue
        files.append(Checked("<stdin>" if model == "-" else model, findings))
        trouble |= broken
        changed |= differs
    if files or form != "text":
        # with a model or a diff on standard output the findings go beside it
        _report(files, form, rules, to_stderr=show_diff or (fix and "-" in models))
    if trouble:
        return TROUBLE
    return FOUND if changed or any(_counts(f) for checked in files for f in checked.findings) else 0


def _check(
    model: str,
    rules: list[Rule],
    *,
    strict: bool,
    max_size: int,
    fix: bool,
    unsafe: bool,
    show_diff: bool,
) -> tuple[list[Finding], bool, bool]:
    """Checks one model, and repairs it or shows the repairs.

    Returns:
        What is found (after a repair: what is left), whether the text is no ``.param`` file, and whether
        a diff was shown.
    """
    from ncnnparam.checks import check, parse_finding
    from ncnnparam.checks.fixes import fix as repair
    from ncnnparam.errors import ParseError
    from ncnnparam.graph import graph_from_syntax
    from ncnnparam.model import dump, dumps
    from ncnnparam.syntax import Dialect, parse, read_text, write_atomic

    text = read_text(model, max_size=max_size)
    try:
        graph = graph_from_syntax(parse(text, dialect=Dialect.STRICT if strict else Dialect.COMPAT))
    except ParseError as error:
        return [parse_finding(error, text)], True, False
    if show_diff:
        fixed = graph.copy()
        repair(fixed, unsafe=unsafe, rules=rules)
        lines = changed_lines(text, dumps(fixed), "<stdin>" if model == "-" else model, context=3)
        emit(lines)
        return check(graph, rules=rules), False, bool(lines)
    if fix:
        for done in repair(graph, unsafe=unsafe, rules=rules):
            say(f"{model}: {done}")
        fixed_text = dumps(graph)
        if model == "-":
            dump(graph, "-")
        elif fixed_text != text:
            write_atomic(model, fixed_text)
        graph = _reread(fixed_text)
    return check(graph, rules=rules), False, False


def _reread(text: str) -> Graph:
    """The graph of a repaired text, so that findings have their places in it."""
    from ncnnparam.graph import graph_from_syntax
    from ncnnparam.syntax import parse

    return graph_from_syntax(parse(text))


def _report(files: list[Checked], form: str, rules: list[Rule], *, to_stderr: bool) -> None:
    from ncnnparam import __version__
    from ncnnparam.checks import report

    if form == "text":
        click.echo(report.as_text(files), nl=False, err=to_stderr)
        findings = [finding for checked in files for finding in checked.findings]
        fixable = sum(finding.fixable for finding in findings)
        say(report.summary(findings) + (f" ({fixable} can be repaired with --fix)" if fixable else ""))
    elif form == "json":
        click.echo(report.as_json(files), nl=False, err=to_stderr)
    elif form == "github":
        click.echo(report.as_github(files), nl=False, err=to_stderr)
    else:
        click.echo(report.as_sarif(files, rules, __version__), nl=False, err=to_stderr)


def _counts(finding: Finding) -> bool:
    """Whether a finding makes the exit code 1."""
    from ncnnparam.checks import Severity

    return finding.severity is not Severity.INFO


def _all_rules() -> tuple[Rule, ...]:
    """The rules of the graph and those of the speech metadata, by code."""
    from ncnnparam.checks import RULES
    from ncnnparam.speech.rules import RULES as SPEECH_RULES

    return tuple(sorted((*RULES, *SPEECH_RULES), key=lambda rule: rule.code))


def _words(options: tuple[str, ...]) -> list[str]:
    """Options such as ``NP1,NP201`` as single words."""
    return [word for option in options for word in option.replace(",", " ").split()]
