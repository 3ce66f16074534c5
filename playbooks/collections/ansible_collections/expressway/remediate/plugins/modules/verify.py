#!/usr/bin/python
# Copyright (c) remediate contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Module `verify`: what each endpoint gets from each peer."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: verify
short_description: Verify every endpoint of an Expressway cluster
version_added: 0.1.0
description:
  - Says what each endpoint would get from each peer by its certificates, and what clients really get where that can be seen.
  - Writes nothing to a cluster.
options:
  clients:
    description:
      - Send requests as a client through each peer that has C(mra) in the inventory, within the limit of sign-ins.
    type: bool
    default: true
  accepted_plan:
    description:
      - A plan of this cluster. What it says stays refused does not fail the task.
    type: path
  accept_remaining:
    description:
      - Let the task pass where something still fails that no trust or cipher change fixes (exit code 10).
    type: bool
    default: false
  horizon:
    description:
      - Also fail for what stops to verify in this time, such as V(90d).
    type: str
  metrics:
    description:
      - A file for metrics in the Prometheus text format. It is not written in check mode, and does not count as a change.
    type: path
extends_documentation_fragment:
  - expressway.remediate.cluster
  - expressway.remediate.cluster.required
  - expressway.remediate.cluster.effect
  - expressway.remediate.attributes
attributes:
  check_mode:
    details: Reads as without check mode.
  diff_mode:
    support: none
    description: Nothing is changed.
seealso:
  - module: expressway.remediate.plan
"""

EXAMPLES = r"""
- name: Verify
  expressway.remediate.verify:
    inventory: /etc/remediate/inventory.yml
    cluster: edge-paris
    clients: false
    accepted_plan: /var/lib/remediate/plans/edge-paris.json
"""

RETURN = r"""
complete:
  description: Whether every peer and endpoint was observed.
  returned: when the program ran
  type: bool
checks:
  description: How many endpoints verify from how many peers.
  returned: when the program ran
  type: dict
  sample: {passed: 33, total: 33}
refused:
  description: The checks that do not pass, each with its peer, cause and error.
  returned: when the program ran
  type: list
  elements: dict
clients_refused:
  description: The checks where a client is refused although the list of the peer accepts.
  returned: when the program ran
  type: list
  elements: dict
in_effect:
  description: For each peer, whether it works with what was written to it, by what, and in a sentence.
  returned: when the program ran
  type: dict
unresolved:
  description: What no plan fixes, with advice.
  returned: when the program ran
  type: list
  elements: dict
alarms:
  description: Where two ways to look at one server show two certificates.
  returned: when the program ran
  type: list
  elements: str
toward_nodes:
  description: Where a node does not accept the certificate of a peer, or that is not known.
  returned: when the program ran
  type: list
  elements: dict
future:
  description: What the calendar changes until the horizon; null without O(horizon).
  returned: when the program ran
  type: list
  elements: dict
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
    Program,
    option_words,
)
from ansible_collections.expressway.remediate.plugins.module_utils.results import verify_lines, verify_results

OPTIONS = {
    "clients": {"type": "bool", "default": True},
    "accepted_plan": {"type": "path"},
    "accept_remaining": {"type": "bool", "default": False},
    "horizon": {"type": "str"},
    "metrics": {"type": "path"},
    "accept_not_in_effect": {"type": "bool", "default": False},
}


def main():
    """Run the module."""
    module = AnsibleModule(argument_spec={**CLUSTER_OPTIONS, **REQUIRED_OPTIONS, **OPTIONS}, supports_check_mode=True)
    options = module.params
    program = Program(module)
    words = [] if options["clients"] else ["--no-clients"]
    words += ["--accept-remaining", options["accepted_plan"]] if options["accepted_plan"] else []
    words += option_words(options, values=("horizon",) if module.check_mode else ("horizon", "metrics"))
    answer = program.run("verify", words)
    results = verify_results(answer.cluster)
    program.finish("verify", answer, verify_lines(results), changed=False, **results)


if __name__ == "__main__":
    main()
