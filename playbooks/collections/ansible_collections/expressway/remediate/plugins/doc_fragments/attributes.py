# Copyright (c) remediate contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""What modules support, where several say the same."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes of every module."""

    DOCUMENTATION = r"""
attributes:
  platform:
    description: Where the module runs.
    support: full
    platforms: posix
  check_mode:
    description: Predicts C(changed) and what would fail, and writes nothing.
    support: full
  async:
    description: Whether the task may run in the background, with C(async) and C(poll).
    support: full
"""
