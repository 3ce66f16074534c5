#!/usr/bin/python
# Copyright (c) remediate contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Module `plan`: a plan for one cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: plan
short_description: Make a plan for an Expressway cluster
version_added: 0.1.0
description:
  - Looks at a cluster, or reads a snapshot of it, and decides the smallest safe change of its trusted CA lists and cipher lists.
  - Writes nothing to a cluster. O(dest) gets the plan, for M(expressway.remediate.apply).
options:
  snapshot:
    description:
      - Plan from this snapshot, as C(remediate collect) writes it, instead of the cluster. Nothing is contacted.
    type: path
  dest:
    description:
      - The file for the plan, mode 0600. Where it holds the same plan already, by its id, it stays as it is.
      - What O(ca), O(approve) and O(approve_file) say is kept in O(state_dir) under the id of the plan, where
        M(expressway.remediate.apply) finds it.
    type: path
  ciphers:
    description:
      - What may be done to the cipher list; the policy of the inventory, else V(auto), where left out.
    type: str
    choices: [keep, prefer-rsa, prefer-ecdsa, auto]
  horizon:
    description:
      - Also say what the calendar changes in this time, such as V(90d).
    type: str
  allow_removal:
    description:
      - Allow a stale certificate to be removed where nothing else helps.
    type: bool
    default: false
  never_trust_self_signed:
    description:
      - Never trust a server's own self-signed certificate.
    type: bool
    default: false
  no_refresh:
    description:
      - Leave out the refresh of discovery.
    type: bool
    default: false
  cucm_trust:
    description:
      - Also plan the uploads that Unified CM and IM and Presence need to trust the peers' own certificates.
    type: bool
    default: false
  allow_incomplete:
    description:
      - Let the task pass where a peer or an endpoint could not be observed (exit code 4). The plan is written either way.
    type: bool
    default: false
extends_documentation_fragment:
  - expressway.remediate.cluster
  - expressway.remediate.cluster.approvals
  - expressway.remediate.attributes
attributes:
  check_mode:
    details:
      - C(changed) is about O(dest), which check mode does not write.
      - What O(ca), O(approve) and O(approve_file) say is kept in O(state_dir) as without check mode.
      - Where a later task of the same check applies the plan, set C(check_mode=false) here.
  diff_mode:
    support: full
    description: Returns what the plan changes in lists and ciphers.
seealso:
  - module: expressway.remediate.apply
"""

EXAMPLES = r"""
- name: Plan
  expressway.remediate.plan:
    inventory: /etc/remediate/inventory.yml
    cluster: edge-paris
    dest: /var/lib/remediate/plans/edge-paris.json
  register: made

- name: Show what a person has to approve
  ansible.builtin.debug:
    var: made.approvals_required

- name: Plan in a pipeline, from a snapshot and without a network
  expressway.remediate.plan:
    snapshot: snapshots/edge-paris.json
    ca: [pki/corporate.pem]
  register: made
  failed_when: made.failed or made.pending
"""

RETURN = r"""
plan_id:
  description: The id of the plan. The same cluster, policy and approvals give the same id.
  returned: when the program ran
  type: str
  sample: sha256:2397455f5ca1a3b36d66f3792196cc3c61c0aff86cf70c2e986d6b90662a0d25
plan_file:
  description: The file with the plan, where O(dest) was given.
  returned: when O(dest) is given
  type: str
complete:
  description: Whether every peer and endpoint was observed.
  returned: when the program ran
  type: bool
pending:
  description: Whether the plan changes anything.
  returned: when the program ran
  type: bool
actions:
  description: The actions of the plan, in order.
  returned: when the program ran
  type: list
  elements: dict
approvals_required:
  description: The certificates of the plan that no trusted source confirms, with subject, end, peers and the endpoints that need them.
  returned: when the program ran
  type: list
  elements: dict
unresolved:
  description: What stays refused after the plan, with advice.
  returned: when the program ran
  type: list
  elements: dict
notes:
  description: What everyone has to know before the plan is applied; alarms first.
  returned: when the program ran
  type: list
  elements: str

exit_code:
  description: The exit code of C(remediate), -1 where it did not run. The README of the collection says which of them fail a task.
  returned: always
  type: int
  sample: 2
meaning:
  description: What the exit code means.
  returned: when the program ran
  type: str
  sample: changes are pending
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
from ansible_collections.expressway.remediate.plugins.module_utils.differences import changes_of_plan, make_diff
from ansible_collections.expressway.remediate.plugins.module_utils.program import (
    APPROVAL_OPTIONS,
    CLUSTER_OPTIONS,
    ONE_SOURCE,
    SNAPSHOT_OPTIONS,
    Program,
    option_words,
)
from ansible_collections.expressway.remediate.plugins.module_utils.results import plan_lines, plan_results

OPTIONS = {
    "dest": {"type": "path"},
    "ciphers": {"type": "str", "choices": ["keep", "prefer-rsa", "prefer-ecdsa", "auto"]},
    "horizon": {"type": "str"},
    "allow_removal": {"type": "bool", "default": False},
    "never_trust_self_signed": {"type": "bool", "default": False},
    "no_refresh": {"type": "bool", "default": False},
    "cucm_trust": {"type": "bool", "default": False},
    "allow_incomplete": {"type": "bool", "default": False},
}
PRIVATE = 0o600


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={**CLUSTER_OPTIONS, **SNAPSHOT_OPTIONS, **APPROVAL_OPTIONS, **OPTIONS},
        supports_check_mode=True,
        **ONE_SOURCE,
    )
    options = module.params
    program = Program(module)
    output = str(Path(module.tmpdir) / "plan.json")
    words = ["--detailed-exitcode", "-o", output]
    words += option_words(
        options,
        flags=("allow_removal", "never_trust_self_signed", "no_refresh", "cucm_trust"),
        values=("snapshot", "ciphers", "horizon", "approve_file"),
        lists=("ca", "approve"),
    )
    answer = program.run("plan", words, is_offline=options["snapshot"] is not None)
    plan, dest = answer.document, options["dest"]
    changed = bool(dest and plan.get("id") and _read_id(dest) != plan["id"])
    if changed and not module.check_mode:
        module.atomic_move(output, dest)
        Path(dest).chmod(PRIVATE)
    results = plan_results(plan)
    if dest:
        results["plan_file"] = dest
    diff = make_diff(plan.get("cluster", ""), changes_of_plan(plan))
    program.finish("plan", answer, plan_lines(plan, dest), changed=changed, diff=diff, **results)


def _read_id(path):
    """Return the id of the plan in a file; None where there is none."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8")).get("id")
    except (OSError, ValueError, AttributeError):
        return None


if __name__ == "__main__":
    main()
