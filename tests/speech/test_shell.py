from __future__ import annotations

import shutil
import subprocess

import pytest

from ncnnparam.speech.shell import commands

SCRIPTS = {
    "words": "show a 'b c' \"d e\" f\\ g\n",
    "variables": 'a=1\nb="$a 2"\nexport c=${a}3\nshow $a "$b" $c\n',
    "order": "a=1\na=2\nshow $a\na=3\nshow $a\n",
    "continuation": "show a \\\n  b \\\n  c\nshow d\n",
    "comments": "# show no\nshow a # b\nshow a#b '#c' \"# d\"\n",
    "comment in a continuation": "show a \\\n  # b \\\nshow c\n",
    "separators": "show a; show b && show c\ntrue && show d\n",
    "condition": "if true; then\n  a=1\n  show $a\nfi\n",
    "function": "f() {\n  show in\n}\nf\n",
    "subshell": "( show a )\n",
    "backslashes": "show 'a\\' \"b\\\\\" c\\\\\\\nd\n",
    "empty": "a=\nshow x$a\n",
    "prefix": "a=1 show b\n",
}


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_plain_scripts_say_what_bash_runs(name):
    """bash runs the script with a ``show`` that prints its words, one list a line."""
    script = SCRIPTS[name]
    show = 'show() { printf "show"; printf "|%s" "$@"; printf "\\n"; }\n'
    ran = subprocess.run(["bash", "-c", show + script], capture_output=True, text=True, check=False).stdout
    ours = ["|".join(command.words) for command in commands(script) if command.words[0] == "show"]
    if name == "subshell":  # its closing parenthesis stays a word
        ours = [line.removesuffix("|)") for line in ours]
    assert ours == ran.splitlines()


def test_lines_are_counted():
    found = [(command.words, command.line, command.last_line) for command in commands("\na \\\n b\n\nc; d\n")]
    assert found == [(("a", "b"), 2, 3), (("c",), 5, 5), (("d",), 5, 5)]


def test_what_is_not_known_keeps_its_dollar():
    (command,) = commands('show $a ${b} ${c:-1} $1 "$d"\n')
    assert command.words == ("show", "$a", "${b}", "${c:-1}", "$1", "$d")


def test_a_line_with_an_open_quote_is_passed_over():
    assert [command.words for command in commands("awk '{\nprint\n}'\nshow a\n")][-1] == ("show", "a")
