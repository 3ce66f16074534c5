#!/usr/bin/python
# Copyright (c) remediate contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Module `workaround`: verification of certificates off and on."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: workaround
short_description: Show or switch the workaround on an Expressway cluster
version_added: 0.1.0
description:
  - On means that certificate verification is off (C(VerifyOriginServer Off)), as it was before X14.2. The peers then accept any
    certificate, even a forged one. It is a last resort for hours, not for weeks.
  - Turning it off is refused where clients would lose an endpoint, or where that is not known.
options:
  state:
    description:
      - V(status) only looks.
    type: str
    choices: ['on', 'off', status]
    default: status
  force:
    description:
      - Turn it off without checking first, even where clients would lose endpoints.
    type: bool
    default: false
extends_documentation_fragment:
  - expressway.remediate.cluster
  - expressway.remediate.cluster.required
  - expressway.remediate.attributes
attributes:
  check_mode:
    details: Turning it off is refused in check mode as it would be without.
  diff_mode:
    support: full
    description: Returns the verification of certificates that changes.
seealso:
  - module: expressway.remediate.plan
"""

EXAMPLES = r"""
- name: Look whether the workaround is on
  expressway.remediate.workaround:
    inventory: /etc/remediate/inventory.yml
    cluster: edge-paris
  register: workaround

- name: Turn it off
  expressway.remediate.workaround:
    inventory: /etc/remediate/inventory.yml
    cluster: edge-paris
    state: "off"
"""

RETURN = r"""
changed:
  description: Whether a peer was switched, or would be in check mode.
  returned: always
  type: bool
peers:
  description: The peers as they are, each with O(ignore:verification) true, false or null (not known), and its last switch.
  returned: when the program ran
  type: list
  elements: dict
  sample:
    - {peer: expc1.example.test, verification: true, problem: null, changed: false, exit_code: 0, last: null}
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
from ansible_collections.expressway.remediate.plugins.module_utils.differences import make_diff, planned_changes
from ansible_collections.expressway.remediate.plugins.module_utils.program import (
    CLUSTER_OPTIONS,
    REQUIRED_OPTIONS,
    Program,
    option_words,
)
from ansible_collections.expressway.remediate.plugins.module_utils.results import workaround_lines

OPTIONS = {
    "state": {"type": "str", "choices": ["on", "off", "status"], "default": "status"},
    "force": {"type": "bool", "default": False},
}


def main():
    """Run the module."""
    module = AnsibleModule(argument_spec={**CLUSTER_OPTIONS, **REQUIRED_OPTIONS, **OPTIONS}, supports_check_mode=True)
    options = module.params
    program = Program(module)
    words = [options["state"], *option_words(options, flags=("force",))]
    if options["state"] != "status":
        words.append("--dry-run" if module.check_mode else "--yes")
    answer = program.run("workaround", words)
    peers = answer.cluster.get("peers", [])
    changes = planned_changes(answer.events) if module.check_mode else _switched(peers)
    program.finish(
        "workaround",
        answer,
        workaround_lines(peers),
        changed=bool(changes),
        peers=peers,
        diff=make_diff(options["cluster"], changes),
    )


def _switched(peers):
    """Return the switches that were made and read back, as changes."""
    return [
        {"peer": peer["peer"], "change": "verify-origin-server", "on": "On" if peer["verification"] else "Off"}
        for peer in peers
        if peer["changed"]
    ]


if __name__ == "__main__":
    main()
