"""Examples and exit codes of a page of help, on a narrow screen."""

from __future__ import annotations

import shlex

from remediate.cli.help_lines import fit_help

HELP = """First paragraph, which click wraps by itself however long it is.

\b
EXAMPLES
  remediate plan -i inventory.yml --note 'a b' -o plan.json    check, plan
  remediate verify -i inventory.yml   # exit code 4

\b
EXIT CODES
  0   done, or nothing to do
  10  something no trust or cipher change fixes,
      or a peer that nobody asked"""


def test_on_a_wide_screen_every_line_stays() -> None:
    assert fit_help(HELP, 120) == HELP.replace("fixes,\n      or", "fixes, or")


def test_on_a_narrow_screen_what_a_code_means_is_wrapped() -> None:
    *_, codes = fit_help(HELP, 40).split("\n\n")

    assert codes.splitlines()[2:] == [
        "  0   done, or nothing to do",
        "  10  something no trust or cipher",
        "      change fixes, or a peer that",
        "      nobody asked",
    ]


def test_a_shell_takes_a_broken_example_as_the_whole_one() -> None:
    _, examples, _ = fit_help(HELP, 40).split("\n\n")

    assert examples.splitlines()[2:] == [
        "  remediate plan -i inventory.yml \\",
        "      --note 'a b' -o plan.json",
        "      # check, plan",
        "  remediate verify -i inventory.yml",
        "      # exit code 4",
    ]
    typed = examples.partition("      #")[0].partition("EXAMPLES\n")[2]
    assert shlex.split(typed.replace("\\\n", "")) == shlex.split("remediate plan -i inventory.yml --note 'a b' -o plan.json")
