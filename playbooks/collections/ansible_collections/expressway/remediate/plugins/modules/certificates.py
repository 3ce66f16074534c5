#!/usr/bin/python
# Copyright (c) remediate contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Module `certificates`: every certificate that matters to a cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: certificates
short_description: List the certificates of an Expressway cluster
version_added: 0.1.0
description:
  - Shows where every certificate is, when it expires, what uses it, and which trusted source confirms it.
  - Also shows where the lists of peers differ, which listed certificates no endpoint needs, and where two share a common name.
  - Writes nothing to a cluster.
options:
  snapshot:
    description:
      - Read this snapshot, as C(remediate collect) writes it, instead of the cluster. Nothing is contacted.
    type: path
  expiring:
    description:
      - Only certificates that end within this time, such as V(60d), or have ended. That some are listed does not fail the task.
    type: str
  allow_incomplete:
    description:
      - Let the task pass where a peer or an endpoint could not be observed (exit code 4), so there may be more.
    type: bool
    default: false
extends_documentation_fragment:
  - expressway.remediate.cluster
  - expressway.remediate.attributes
attributes:
  check_mode:
    details: Reads as without check mode.
  diff_mode:
    support: none
    description: Nothing is changed.
seealso:
  - module: expressway.remediate.verify
"""

EXAMPLES = r"""
- name: List what ends soon
  expressway.remediate.certificates:
    inventory: /etc/remediate/inventory.yml
    cluster: edge-paris
    expiring: 60d
  register: listing

- name: Fail where something ends within the month
  ansible.builtin.assert:
    that: listing.certificates | selectattr('days_left', 'lt', 31) | length == 0
"""

RETURN = r"""
certificates:
  description: The certificates, each with its subject, dates, lists, endpoints and what relies on it.
  returned: when the program ran
  type: list
  elements: dict
drift:
  description: The certificates that some peers have and others do not.
  returned: when the program ran
  type: list
  elements: dict
shared_common_names:
  description: The certificates of one list that share a common name.
  returned: when the program ran
  type: list
  elements: dict
not_relied_on:
  description: The fingerprints of listed certificates that no endpoint needs.
  returned: when the program ran
  type: list
  elements: str
complete:
  description: Whether every peer and endpoint was observed.
  returned: when the program ran
  type: bool
taken_at:
  description: The moment that days count from.
  returned: when the program ran
  type: str
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
    ONE_SOURCE,
    SNAPSHOT_OPTIONS,
    Program,
    option_words,
)
from ansible_collections.expressway.remediate.plugins.module_utils.results import certificate_lines

OPTIONS = {
    "expiring": {"type": "str"},
    "allow_incomplete": {"type": "bool", "default": False},
}
LISTS = ("certificates", "drift", "shared_common_names", "not_relied_on")


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={**CLUSTER_OPTIONS, **SNAPSHOT_OPTIONS, **OPTIONS},
        supports_check_mode=True,
        **ONE_SOURCE,
    )
    options = module.params
    program = Program(module)
    words = option_words(options, values=("snapshot", "expiring"))
    answer = program.run("certificates", words, is_offline=options["snapshot"] is not None)
    document = answer.cluster
    results = {name: document.get(name, []) for name in LISTS}
    results.update(complete=document.get("complete"), taken_at=document.get("taken_at"))
    program.finish("certificates", answer, certificate_lines(document), changed=False, **results)


if __name__ == "__main__":
    main()
