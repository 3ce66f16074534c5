"""Adds man pages and completion scripts to the wheel, made from the commands that it carries."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# As the shells look for them below a prefix's share/
_COMPLETIONS = {
    "bash": "bash-completion/completions/remediate",
    "zsh": "zsh/site-functions/_remediate",
    "fish": "fish/vendor_completions.d/remediate.fish",
}


class ShareBuildHook(BuildHookInterface[Any]):
    """Runs while hatchling builds the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the files and tell hatchling where each one goes. An editable install gets none: it follows the sources."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from scripts.man_pages import write_man_pages

        self._folder = tempfile.TemporaryDirectory(prefix="remediate-share-")
        folder = Path(self._folder.name)
        for page in write_man_pages(folder):
            build_data["shared_data"][str(page)] = f"share/man/man1/{page.name}"
        for shell, place in _COMPLETIONS.items():
            script = folder / shell
            script.write_text(_completion_script(shell), encoding="utf-8")
            build_data["shared_data"][str(script)] = f"share/{place}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the files, which are in the wheel now."""
        del build_data, artifact_path
        if version != "editable":
            self._folder.cleanup()


def _completion_script(shell: str) -> str:
    from click.shell_completion import get_completion_class

    from remediate.cli.app import command

    completion_class = get_completion_class(shell)
    if completion_class is None:
        raise ValueError(f"click knows no completion for {shell}")
    return completion_class(command, {}, "remediate", "_REMEDIATE_COMPLETE").source()
