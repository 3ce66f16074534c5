#!/usr/bin/python
# Copyright (c) remediate contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Module `restart`: guarded restarts of peers."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: restart
short_description: Restart peers of an Expressway cluster, guarded and drained
version_added: 0.1.0
description:
  - Restarts peers one at a time, the primary first, so that the changes written to them take effect.
  - Takes the peers that are not known to work with what C(remediate) wrote to them; O(peers) and O(all) take others.
  - A peer restarts only if every guard was checked and holds, and the next one only when it is back as before.
options:
  peers:
    description:
      - Restart these peers, even if they do not need it.
    type: list
    elements: str
    default: []
  all:
    description:
      - Restart every peer.
    type: bool
    default: false
  window:
    description:
      - Start no change outside these hours, such as V(22:00/02:00 Europe/Paris).
    type: str
  ticket:
    description:
      - The change ticket, for the lock and the journal.
    type: str
extends_documentation_fragment:
  - expressway.remediate.cluster
  - expressway.remediate.cluster.required
  - expressway.remediate.cluster.restarts
  - expressway.remediate.cluster.effect
  - expressway.remediate.attributes
attributes:
  check_mode:
    details: Reads the guards as they stand; one that fails is exit code 8, and fails the task.
  diff_mode:
    support: none
    description: A restart changes no setting.
seealso:
  - module: expressway.remediate.apply
"""

EXAMPLES = r"""
- name: Restart the peers that wait for it
  expressway.remediate.restart:
    inventory: /etc/remediate/inventory.yml
    cluster: edge-paris
    calls: drain
    drain_for: 30m
    ticket: CHG0012345
"""

RETURN = r"""
changed:
  description: Whether a peer was written to or restarted, or would be in check mode.
  returned: always
  type: bool
peers:
  description: In check mode, the peers that would restart, in order, each with its guards and calls.
  returned: in check mode
  type: list
  elements: dict
run_id:
  description: The run in the journal; null where nothing restarted.
  returned: when the program ran
  type: str
state:
  description: How the run ended, or V(dry-run) in check mode.
  returned: when the program ran
  type: str
open_steps:
  description: What is left to do by hand.
  returned: when the program ran
  type: list
  elements: str
in_effect:
  description: For each peer, whether it works with what was written to it, by what, and in a sentence.
  returned: when the program ran
  type: dict
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
from ansible_collections.expressway.remediate.plugins.module_utils.results import effect_lines, restart_lines, run_lines

OPTIONS = {
    "peers": {"type": "list", "elements": "str", "default": []},
    "all": {"type": "bool", "default": False},
    "window": {"type": "str"},
    "ticket": {"type": "str"},
    "accept_not_in_effect": {"type": "bool", "default": False},
}


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={**CLUSTER_OPTIONS, **REQUIRED_OPTIONS, **RESTART_OPTIONS, **OPTIONS}, supports_check_mode=True
    )
    options = module.params
    program = Program(module)
    words = ["--dry-run" if module.check_mode else "--yes"]
    words += option_words(options, flags=("all",), values=("calls", "drain_for", "window", "ticket"), lists=("assume",))
    for peer in options["peers"]:
        words += ["--peer", peer]
    answer = program.run("restart", words)
    cluster, notes = answer.cluster, answer.document.get("notes", [])
    if module.check_mode:
        peers = cluster.get("peers", [])
        results = {
            "changed": bool(peers),
            "peers": peers,
            "run_id": None,
            "state": "dry-run",
            "open_steps": [],
            "in_effect": {},
        }
        lines = restart_lines(cluster)
    else:
        results = {
            "changed": bool(cluster.get("changed")),
            "run_id": cluster.get("run"),
            "state": cluster.get("state"),
            "open_steps": cluster.get("open_steps", []),
            "in_effect": cluster.get("in_effect", {}),
        }
        lines = run_lines(cluster, notes) + effect_lines(results["in_effect"])
    program.finish("restart", answer, lines, **results)


if __name__ == "__main__":
    main()
