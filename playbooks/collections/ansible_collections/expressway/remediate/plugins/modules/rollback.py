#!/usr/bin/python
# Copyright (c) remediate contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Module `rollback`: the undo of one run."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: rollback
short_description: Roll back a run on an Expressway cluster
version_added: 0.1.0
description:
  - Undoes one run from its journal alone, and reads the start state back. What others changed since then is left alone.
  - In check mode it is the dry run of C(remediate rollback), over connections that cannot write.
options:
  run:
    description:
      - The id of the run, as M(expressway.remediate.apply) returns it, or V(last), the newest run of O(cluster) that has a plan.
    type: str
    default: last
  restart:
    description:
      - Which peers restart once all is undone, one at a time.
    type: str
    choices: [never, if-needed, rolling]
    default: never
extends_documentation_fragment:
  - expressway.remediate.cluster
  - expressway.remediate.cluster.required
  - expressway.remediate.cluster.restarts
  - expressway.remediate.cluster.effect
  - expressway.remediate.attributes
attributes:
  check_mode:
    details: A step that is left to people is exit code 8, and fails the task as it would without check mode.
  diff_mode:
    support: full
    description: Returns what has changed, or would change, in lists and ciphers.
seealso:
  - module: expressway.remediate.apply
"""

EXAMPLES = r"""
- name: Roll back the newest run of the cluster
  expressway.remediate.rollback:
    inventory: /etc/remediate/inventory.yml
    cluster: edge-paris
    state_dir: /var/lib/remediate
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
notes:
  description: What everyone has to know of the rollback.
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

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.expressway.remediate.plugins.module_utils.program import (
    CLUSTER_OPTIONS,
    REQUIRED_OPTIONS,
    RESTART_OPTIONS,
    Program,
    option_words,
)

OPTIONS = {
    "run": {"type": "str", "default": "last"},
    "restart": {"type": "str", "choices": ["never", "if-needed", "rolling"], "default": "never"},
    "accept_not_in_effect": {"type": "bool", "default": False},
}


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={**CLUSTER_OPTIONS, **REQUIRED_OPTIONS, **RESTART_OPTIONS, **OPTIONS}, supports_check_mode=True
    )
    options = module.params
    program = Program(module)
    words = [options["run"], "--dry-run" if module.check_mode else "--yes"]
    words += option_words(options, values=("restart", "calls", "drain_for"), lists=("assume",))
    answer = program.run("rollback", words)
    program.finish_run("rollback", answer)


if __name__ == "__main__":
    main()
