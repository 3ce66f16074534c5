# Copyright (c) remediate contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation that several modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """What every module has: the cluster, and how the program is run."""

    DOCUMENTATION = r"""
options:
  inventory:
    description:
      - The inventory of remediate, a file or a folder of them. It names the peers, and where each password comes from.
    type: path
  cluster:
    description:
      - The name of the cluster in O(inventory). One cluster for each task; no pattern.
    type: str
  program:
    description:
      - How C(remediate) is started on the host that the module runs on.
      - More than one word where it is started through something else.
    type: list
    elements: str
    default: [remediate]
  state_dir:
    description:
      - The folder of the journal, the locks and the approvals; the one of C(remediate) if left out.
      - A rollback needs the folder that the apply had.
    type: path
  events:
    description:
      - A file on the host that the module runs on, which gets what happens as JSON lines while it happens.
      - It is emptied first. Where the module runs on the controller, C(-v) shows the progress without it.
    type: path
  secrets:
    description:
      - "Environment variables for the program alone, by name, for passwords that the inventory names as C({env: NAME})."
      - Their values are in no argument of the program, and Ansible removes them from results and logs.
      - Not needed where the environment of the job has them, or where the inventory names files, a command or a keyring.
    type: dict
requirements:
  - expressway-remediate of the version of this collection, on the host that the module runs on
notes:
  - The modules run on the host that has C(remediate), mostly the controller or an execution node (C(ansible_connection=local)).
    Nothing is installed or run on an Expressway.
  - Where several exit codes hold, C(remediate) ends with the most serious, and a less serious one does not show in it.
author:
  - remediate contributors (!UNKNOWN)
"""

    REQUIRED = r"""
options:
  inventory:
    required: true
  cluster:
    required: true
"""

    APPROVALS = r"""
options:
  ca:
    description:
      - Files or folders with CA certificates that you vouch for, beside those of the inventory.
    type: list
    elements: path
    default: []
  approve:
    description:
      - Fingerprints (C(sha256:HEX)) of certificates to approve. Compare each out of band first.
    type: list
    elements: str
    default: []
  approve_file:
    description:
      - A file with such fingerprints, one a line.
    type: path
"""

    RESTARTS = r"""
options:
  calls:
    description:
      - What happens to calls before a restart. V(drain) turns on maintenance mode, and waits until no call is left; V(end) ends them.
    type: str
    choices: [drain, end]
  drain_for:
    description:
      - How long a peer may take to drain, such as V(10m). With calls left then, nothing restarts, and the task fails.
    type: str
  assume:
    description:
      - Guards to take as right where they cannot be read. A guard that fails is never assumed.
    type: list
    elements: str
    choices: [peers-up, alarms, replication, restart-required, maintenance]
    default: []
"""

    EFFECT = r"""
options:
  accept_not_in_effect:
    description:
      - Let the task pass where a peer is not known to use what was written to it (exit code 11).
    type: bool
    default: false
"""
