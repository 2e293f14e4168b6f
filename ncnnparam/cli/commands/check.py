"""``ncnnparam check``: findings of all rules, and repairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from ncnnparam.cli.common import FOUND, TROUBLE, changed_lines, emit, max_size_option, ops_option, say
from ncnnparam.cli.paths import model_files

if TYPE_CHECKING:
    from ncnnparam.checks import Finding, Rule
    from ncnnparam.checks.report import Checked
    from ncnnparam.graph import Graph
    from ncnnparam.ops.versions import Target

FORMATS = ("text", "json", "github", "sarif")


@click.command(
    name="check",
    epilog="Exit codes: 0 no errors or warnings, 1 some, 2 a file that cannot be read or is no model.",
)
@click.argument("paths", metavar="MODEL [BIN] ...", nargs=-1, required=True)
@click.option(
    "--weights", is_flag=True, help="Look at all numbers of a .bin too: NaN, infinity, channels of zeros."
)
@click.option("--runtime", is_flag=True, help="Also let the installed ncnn load the files.")
@click.option(
    "--target",
    "target_name",
    metavar="TARGET",
    help="Also report what this runtime lacks or misreads: ncnn-20250916, sherpa-ncnn-2.1.15, latest.",
)
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
    paths: tuple[str, ...],
    weights: bool,
    runtime: bool,
    target_name: str | None,
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

    A .bin behind a model is checked with it: does it fit, and if not, where and why. In a folder the files
    are paired by name. Every finding has a code, a place and a cure; docs/rules has a page on each. A MODEL
    named - is standard input; with --fix the repaired model then goes to standard output and the findings
    to standard error.

    \b
    ncnnparam check encoder.ncnn.param encoder.ncnn.bin
    ncnnparam check --weights --runtime models/
    ncnnparam check --target sherpa-ncnn-2.1.15 encoder.ncnn.param
    ncnnparam check --fix encoder.ncnn.param
    ncnnparam check --diff encoder.ncnn.param
    ncnnparam check --format sarif *.param > findings.sarif
    ncnnparam check --select NP2 --ignore dangling-blob - < encoder.ncnn.param
    """
    from ncnnparam.checks.report import Checked
    from ncnnparam.checks.rules.target import concerning
    from ncnnparam.checks.selection import select_rules
    from ncnnparam.errors import FileError

    if strict and (fix or show_diff):
        raise click.UsageError(
            "--strict takes a file as ncnn does, --fix and --diff repair it: take one of them"
        )
    if fix and show_diff:
        raise click.UsageError("--fix changes the file and --diff only shows the changes: take one of them")
    if runtime and "-" in paths:
        raise click.UsageError("--runtime needs files: ncnn does not read standard input")
    files, trouble = model_files(paths)
    if weights and all(bin is None for _, bin in files):
        raise click.UsageError("--weights looks at the numbers in a .bin: name one behind its .param")
    with_pairs = bool(select or ignore or any(bin is not None for _, bin in files))
    runtime_target = _target(target_name)
    chosen = select_rules(_all_rules(with_pairs, runtime_target), _words(select), _words(ignore))
    rules = chosen if runtime_target is None else concerning(chosen, runtime_target)
    checked: list[Checked] = []
    changed = False
    for model, bin in files:
        look = Look(rules, chosen, strict, max_size, fix, unsafe_fixes, show_diff, weights, runtime)
        try:
            findings, broken, differs = look.at(model, bin)
        except FileError as error:
            say(f"error: {error}")
            trouble = True
            continue
        checked.append(Checked("<stdin>" if model == "-" else model, findings))
        trouble |= broken
        changed |= differs
    if checked or form != "text":
        # with a model or a diff on standard output the findings go beside it
        _report(checked, form, rules, to_stderr=show_diff or (fix and "-" in paths))
    if trouble:
        return TROUBLE
    return FOUND if changed or any(_counts(f) for one in checked for f in one.findings) else 0


@dataclass(frozen=True)
class Look:
    """How to look at a model: the options of the command, by their names.

    Attributes:
        rules: What to report.
        repairs: What to repair: a spelling that the target happens to read is repaired all the same.
    """

    rules: list[Rule]
    repairs: list[Rule]
    strict: bool
    max_size: int
    fix: bool
    unsafe: bool
    show_diff: bool
    weights: bool
    runtime: bool

    def at(self, model: str, bin: str | None) -> tuple[list[Finding], bool, bool]:
        """Checks one model, and repairs it or shows the repairs.

        Returns:
            What is found (after a repair: what is left), whether a file is not what it should be, and
            whether a diff was shown.
        """
        from ncnnparam.checks import parse_finding
        from ncnnparam.checks.fixes import fix as repair
        from ncnnparam.errors import ParseError
        from ncnnparam.graph import graph_from_syntax
        from ncnnparam.model import dump, dumps
        from ncnnparam.syntax import Dialect, finish_pair, parse, read_text, write_atomic

        if model != "-":
            finish_pair(model)
        text = read_text(model, max_size=self.max_size)
        dialect = Dialect.STRICT if self.strict else Dialect.COMPAT
        try:
            graph = graph_from_syntax(parse(text, name=model, dialect=dialect))
        except ParseError as error:
            return [parse_finding(error), *_swapped(bin)], True, False
        if self.show_diff:
            fixed = graph.copy()
            repair(fixed, unsafe=self.unsafe, rules=self.repairs)
            lines = changed_lines(text, dumps(fixed), "<stdin>" if model == "-" else model, context=3)
            emit(lines)
            return *self._findings(graph, model, bin), bool(lines)
        if self.fix:
            for done in repair(graph, unsafe=self.unsafe, rules=self.repairs):
                say(f"{model}: {done}")
            fixed_text = dumps(graph)
            if model == "-":
                dump(graph, "-")
            elif fixed_text != text:
                write_atomic(model, fixed_text)
            graph = graph_from_syntax(parse(fixed_text, name=model))  # findings have places in this text
        return *self._findings(graph, model, bin), False

    def _findings(self, graph: Graph, model: str, bin: str | None) -> tuple[list[Finding], bool]:
        """What is found, and whether the ``.bin`` is none."""
        from ncnnparam.checks import check

        rules = {rule.code: rule for rule in self.rules}
        if bin is not None:
            from ncnnparam.checks.pairs import FIT_RULES, PAIR_RULES, Misfit, Pair
            from ncnnparam.weights import WeightFile

            pair = Pair(graph, WeightFile.open(bin))
            if pair.misfit is Misfit.NONE:  # rules about a target look at how the layers' arrays are stored
                pair.file.attach(graph)
            wanted = PAIR_RULES if self.weights else FIT_RULES
            rules |= {one.rule.code: one.on(pair) for one in wanted if one.rule.code in rules}
        if self.runtime and "NP609" in rules:
            from ncnnparam.runtime.rule import loaded_from

            rules["NP609"] = loaded_from(model, bin)
        findings = check(graph, rules=list(rules.values()))
        return findings, any(finding.code == "NP601" for finding in findings)


def _swapped(bin: str | None) -> list[Finding]:
    """The finding that a ``.bin`` is none, beside a ``.param`` that is none."""
    if bin is None:
        return []
    from ncnnparam.checks import check
    from ncnnparam.checks.pairs import Pair
    from ncnnparam.checks.pairs.rules import no_weights
    from ncnnparam.graph import Graph
    from ncnnparam.weights import WeightFile

    graph = Graph()
    return check(graph, rules=[no_weights.on(Pair(graph, WeightFile.open(bin)))])


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


def _target(name: str | None) -> Target | None:
    """The runtime of that name; tells if it is not quite the one that was asked for."""
    if name is None:
        return None
    from ncnnparam.ops.versions import target

    found = target(name)
    if found.note:
        say(found.note)
    return found


def _all_rules(with_pairs: bool, target: Target | None) -> list[Rule]:
    """The rules of the graph, of the speech metadata and, where they are needed, of weights and a target."""
    from ncnnparam.checks import RULES
    from ncnnparam.checks.rules.target import target_rules
    from ncnnparam.runtime.rule import runtime_load
    from ncnnparam.speech.rules import RULES as SPEECH_RULES

    rules = [*RULES, *SPEECH_RULES, runtime_load, *(target_rules(target) if target is not None else ())]
    if with_pairs:  # they need numpy, which takes a while
        from ncnnparam.checks.pairs import PAIR_RULES

        rules += [one.rule for one in PAIR_RULES]
    return sorted(rules, key=lambda rule: rule.code)


def _words(options: tuple[str, ...]) -> list[str]:
    """Options such as ``NP1,NP201`` as single words."""
    return [word for option in options for word in option.replace(",", " ").split()]
