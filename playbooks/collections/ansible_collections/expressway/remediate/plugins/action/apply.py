# Copyright (c) remediate contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Action plugin of the module `apply`: shows its progress."""

from __future__ import annotations

from ansible_collections.expressway.remediate.plugins.plugin_utils.progress import ProgressAction


class ActionModule(ProgressAction):
    """The module `apply`, with its progress."""
