# Copyright (c) remediate contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Exit codes of remediate: what each means, and which of them is no failure of a task.

The tests of remediate compare this with its own list, and with the table in the README.
"""

from __future__ import annotations

MEANINGS = {
    0: "done",
    1: "error, nothing was changed",
    2: "changes are pending",
    3: "failed and rolled back; the start state was read back and is there",
    4: "something could not be observed",
    5: "locked by another run",
    6: "the plan is stale",
    7: "declined, or an approval is missing",
    8: "manual action is needed",
    9: "applied, confirmation pending",
    10: "something still fails that no trust or cipher change fixes",
    11: "written and read back, not known to be in effect on every peer",
    64: "wrong usage",
    70: "a bug in remediate",
    130: "interrupted; the journal describes what was done",
    143: "terminated; the journal describes what was done",
}

ALWAYS = ""
"""In ACCEPTED: no option is needed."""

ACCEPTED = {
    "plan": {0: ALWAYS, 2: ALWAYS, 10: ALWAYS, 4: "allow_incomplete"},
    "apply": {0: ALWAYS, 10: ALWAYS, 4: "allow_incomplete", 9: "confirm_within", 11: "accept_not_in_effect"},
    "verify": {0: ALWAYS, 10: "accept_remaining", 11: "accept_not_in_effect"},
    "restart": {0: ALWAYS, 11: "accept_not_in_effect"},
    "rollback": {0: ALWAYS, 11: "accept_not_in_effect"},
    "workaround": {0: ALWAYS},
    "certificates": {0: ALWAYS, 2: ALWAYS, 4: "allow_incomplete"},
}
"""For each command, the exit codes that are no failure, and the option of the module that has to be set for it."""


def is_accepted(command, code, parameters):
    """Return whether a command that ended with this exit code is no failure, given the options of the module."""
    if code not in ACCEPTED[command]:
        return False
    option = ACCEPTED[command][code]
    return option == ALWAYS or bool(parameters.get(option))


def describe(code):
    """Return what an exit code means."""
    return MEANINGS.get(code, "remediate was not started, or was killed")
