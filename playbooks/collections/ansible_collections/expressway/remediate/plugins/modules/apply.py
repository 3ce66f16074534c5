#!/usr/bin/python
# Copyright (c) remediate contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Module `apply`: the apply of a plan to its cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: apply
short_description: Apply a plan to an Expressway cluster
version_added: 0.1.0
description:
  - Applies a plan to every peer of its cluster, reads everything back, tests whether it is in effect, and verifies every endpoint.
  - The same plan again changes nothing, and repeats no write.
  - In check mode it is the dry run of C(remediate apply), over connections that cannot write.
options:
  plan:
    description:
      - The file with the plan.
    type: path
    required: true
  plan_id:
    description:
      - The id of the plan that was approved. Another plan in the file fails the task before anything is contacted.
    type: str
  approvals:
    description:
      - A file with the approvals of this plan, as written by C(remediate approve).
    type: path
  restart:
    description:
      - Which peers restart, one at a time.
      - V(if-needed) takes those that still refuse clients, and only where O(calls) or the policy of the inventory says what happens
        to calls.
      - The policy of the inventory, else V(if-needed), where left out.
    type: str
    choices: [never, if-needed, rolling]
  on_failure:
    description:
      - What to do when a change fails.
    type: str
    choices: [rollback, workaround, stop]
    default: rollback
  confirm_within:
    description:
      - Undo everything unless C(remediate confirm) follows within this time, such as V(15m). Exit code 9 is then no failure.
      - The timer is a process on the host that the module runs on. It ends with a container that ends with the job.
    type: str
  window:
    description:
      - Start no change outside these hours, such as V(22:00/02:00 Europe/Paris).
    type: str
  ticket:
    description:
      - The change ticket, for the lock and the journal.
    type: str
  cucm_trust:
    description:
      - Also upload the certificates that the plan names to Unified CM and IM and Presence. A plan with uploads is refused without it.
    type: bool
    default: false
  diagnostic_log:
    description:
      - If no client request shows whether it is in effect, record the peers' own logs for three minutes.
    type: bool
    default: false
  allow_incomplete:
    description:
      - Apply a plan that was made without seeing every peer and endpoint.
      - The task then passes where something could not be observed (exit code 4).
    type: bool
    default: false
extends_documentation_fragment:
  - expressway.remediate.cluster
  - expressway.remediate.cluster.required
  - expressway.remediate.cluster.approvals
  - expressway.remediate.cluster.restarts
  - expressway.remediate.cluster.effect
  - expressway.remediate.attributes
attributes:
  check_mode:
    details: Whether a change is in effect, and so which peers restart if needed, is only known after it was written.
  diff_mode:
    support: full
    description: Returns what has changed, or would change, in lists and ciphers.
seealso:
  - module: expressway.remediate.plan
  - module: expressway.remediate.rollback
"""

EXAMPLES = r"""
- name: Apply what the board approved
  expressway.remediate.apply:
    inventory: /etc/remediate/inventory.yml
    cluster: edge-paris
    plan: /var/lib/remediate/plans/edge-paris.json
    plan_id: "{{ approved_plan_id }}"
    ticket: CHG0012345
    calls: drain
  register: applied

- name: Let the record show what is left to do
  ansible.builtin.debug:
    msg: "{{ applied.open_steps }}"
"""

RETURN = r"""
changed:
  description: Whether a peer was written to, or would be in check mode.
  returned: always
  type: bool
changes:
  description: What was changed and read back, or would be in check mode, one entry for each peer and change.
  returned: when the program ran
  type: list
  elements: dict
  sample:
    - {peer: expc1.example.test, change: trust-certificate, certificate: "sha256:f106...", subject: CN=corporate-CA}
plan_id:
  description: The plan of the run.
  returned: when the program ran
  type: str
  sample: sha256:2397455f5ca1a3b36d66f3792196cc3c61c0aff86cf70c2e986d6b90662a0d25
run_id:
  description: The run in the journal, for M(expressway.remediate.rollback); null where nothing was written.
  returned: when the program ran
  type: str
  sample: 261123-101500-4f2a
state:
  description: How the run ended, or V(dry-run) in check mode.
  returned: when the program ran
  type: str
  sample: applied
open_steps:
  description: What is left to do by hand, with the page to open.
  returned: when the program ran
  type: list
  elements: str
in_effect:
  description: For each peer, whether it works with what was written to it, by what, and in a sentence.
  returned: when the program ran
  type: dict
  sample: {expc1.example.test: {state: "yes", by: client, said: a client got through}}
checks:
  description: How many endpoints verify from how many peers, as verified after the last write.
  returned: when the program ran
  type: dict
  sample: {passed: 33, total: 33}
refused:
  description: The checks that do not pass, each with its peer, cause and error.
  returned: when the program ran
  type: list
  elements: dict
confirm_by:
  description: Until when C(remediate confirm) has to follow; null where it does not.
  returned: when the program ran
  type: str
notes:
  description: What everyone has to know of the run.
  returned: when the program ran
  type: list
  elements: str
exit_code:
  description: The exit code of C(remediate), -1 where it did not run. The README of the collection says which of them fail a task.
  returned: always
  type: int
  sample: 0
meaning:
  description: What the exit code means.
  returned: when the program ran
  type: str
  sample: done
lines:
  description: The sentences for people, one each.
  returned: when the program ran
  type: list
  elements: str
command:
  description: The words of the command that ran. There is no secret in them.
  returned: always
  type: list
  elements: str
"""

import json
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.expressway.remediate.plugins.module_utils.program import (
    APPROVAL_OPTIONS,
    CLUSTER_OPTIONS,
    REQUIRED_OPTIONS,
    RESTART_OPTIONS,
    Program,
    option_words,
)

OPTIONS = {
    "plan": {"type": "path", "required": True},
    "plan_id": {"type": "str"},
    "approvals": {"type": "path"},
    "restart": {"type": "str", "choices": ["never", "if-needed", "rolling"]},
    "on_failure": {"type": "str", "choices": ["rollback", "workaround", "stop"], "default": "rollback"},
    "confirm_within": {"type": "str"},
    "window": {"type": "str"},
    "ticket": {"type": "str"},
    "cucm_trust": {"type": "bool", "default": False},
    "diagnostic_log": {"type": "bool", "default": False},
    "allow_incomplete": {"type": "bool", "default": False},
    "accept_not_in_effect": {"type": "bool", "default": False},
}


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={**CLUSTER_OPTIONS, **REQUIRED_OPTIONS, **APPROVAL_OPTIONS, **RESTART_OPTIONS, **OPTIONS},
        supports_check_mode=True,
    )
    options = module.params
    program = Program(module)
    if options["plan_id"] is not None:
        _refuse_other_plan(module)
    words = [options["plan"], "--dry-run" if module.check_mode else "--yes"]
    words += option_words(
        options,
        flags=("cucm_trust", "diagnostic_log", "allow_incomplete"),
        values=(
            "approve_file", "approvals", "restart", "calls", "drain_for", "on_failure", "confirm_within", "window", "ticket",
        ),
        lists=("ca", "approve", "assume"),
    )  # fmt: skip
    answer = program.run("apply", words)
    program.finish_run("apply", answer, confirm_by=answer.document.get("confirm_by"))


def _refuse_other_plan(module):
    """Fail unless the file holds the plan that was approved; that the id is true of its content, the program checks."""
    path, approved = module.params["plan"], module.params["plan_id"]
    try:
        plan_id = json.loads(Path(path).read_text(encoding="utf-8")).get("id")
    except (OSError, ValueError, AttributeError):
        module.fail_json(
            msg=f"{path} cannot be read as a plan. Make it with expressway.remediate.plan.", exit_code=-1, command=[]
        )
    if plan_id != approved:
        module.fail_json(
            msg=f"{path} holds the plan {plan_id}, and {approved} was approved. Nothing was done. Have the new plan approved.",
            exit_code=-1,
            command=[],
        )


if __name__ == "__main__":
    main()
