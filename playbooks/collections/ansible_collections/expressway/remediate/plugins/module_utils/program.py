# Copyright (c) remediate contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The program `remediate` as the modules run it: one command, one cluster, one JSON document."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ansible_collections.expressway.remediate.plugins.module_utils.differences import (
    completed_changes,
    make_diff,
    planned_changes,
)
from ansible_collections.expressway.remediate.plugins.module_utils.exit_codes import describe, is_accepted
from ansible_collections.expressway.remediate.plugins.module_utils.results import run_lines, run_results

CLUSTER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
CLUSTER_OPTIONS = {
    "program": {"type": "list", "elements": "str", "default": ["remediate"]},
    "state_dir": {"type": "path"},
    "events": {"type": "path"},
    "secrets": {"type": "dict", "no_log": True},
}
REQUIRED_OPTIONS = {
    "inventory": {"type": "path", "required": True},
    "cluster": {"type": "str", "required": True},
}
SNAPSHOT_OPTIONS = {
    "inventory": {"type": "path"},
    "cluster": {"type": "str"},
    "snapshot": {"type": "path"},
}
ONE_SOURCE = {
    "mutually_exclusive": [("inventory", "snapshot"), ("cluster", "snapshot")],
    "required_one_of": [("inventory", "snapshot")],
    "required_together": [("inventory", "cluster")],
}
"""What a module asks of SNAPSHOT_OPTIONS: a cluster of an inventory, or a snapshot."""
RESTART_OPTIONS = {
    "calls": {"type": "str", "choices": ["drain", "end"]},
    "drain_for": {"type": "str"},
    "assume": {
        "type": "list",
        "elements": "str",
        "choices": ["peers-up", "alarms", "replication", "restart-required", "maintenance"],
        "default": [],
    },
}
APPROVAL_OPTIONS = {
    "ca": {"type": "list", "elements": "path", "default": []},
    "approve": {"type": "list", "elements": "str", "default": []},
    "approve_file": {"type": "path"},
}
LINES_OF_STDERR = 20


class Answer:
    """What one command answered.

    Attributes:
        code: Its exit code.
        document: The JSON document that it printed; empty where it printed none.
        events: The events that it wrote, oldest first.
        command: Its words. No secret is among them.
    """

    def __init__(self, code, document, events, command):
        self.code = code
        self.document = document
        self.events = events
        self.command = command

    @property
    def cluster(self):
        """The part of the document that is about the cluster."""
        clusters = self.document.get("clusters")
        return clusters[0] if clusters else self.document

    @property
    def error(self):
        """The error that ended the command, with `message` and `next_step`; empty where it has none."""
        return self.document.get("error") or self.cluster.get("error") or {}


class Program:
    """The program, with what the options of a module say of it."""

    def __init__(self, module):
        self._module = module
        self._options = module.params

    def run(self, command, arguments, *, is_offline=False):
        """Run `command` for the cluster of the task and return its answer; where it does not start, the task fails."""
        where = ([] if is_offline else self._where()) + self._state()
        events = self._options["events"] or str(Path(self._module.tmpdir) / "events.jsonl")
        common = ["--json", "--no-input", "--quiet", "--events", events]
        words = [*self._options["program"], command, *arguments, *where, *common]
        try:
            code, out, err = self._module.run_command(words, environ_update=self._environment(), handle_exceptions=False)
        except OSError as error:
            self._module.fail_json(
                msg=f"remediate was not started: {words[0]}: {error.strerror}. Install expressway-remediate here, or set `program`.",
                exit_code=-1,
                command=words,
            )
        document = _read_document(out)
        if document is None:
            # Whatever its ending, remediate prints a document. Without one, something else ended, with a number of its own.
            self._module.fail_json(
                msg=f"{words[0]} printed no document of remediate, and ended with {code}.",
                exit_code=-1,
                command=words,
                stderr_lines=err.splitlines()[-LINES_OF_STDERR:],
            )
        return Answer(code, document, _read_events(events), words)

    def finish(self, command, answer, lines, **results):
        """End the task: failed or not as the exit code says, with the sentences for people in `msg`."""
        sentences = _describe_error(answer.error) or lines
        results.update(
            exit_code=answer.code,
            meaning=describe(answer.code),
            command=answer.command,
            lines=sentences,
            msg=" ".join([f"Exit code {answer.code}, {describe(answer.code)}.", *sentences]),
        )
        if answer.error or not is_accepted(command, answer.code, self._options):
            self._module.fail_json(**results)
        self._module.exit_json(**results)

    def finish_run(self, command, answer, **results):
        """End the task of a run with a plan, with what it changed; in check mode, with what it would change."""
        document, is_check = answer.document, self._module.check_mode
        changes = planned_changes(answer.events) if is_check else completed_changes(answer.events)
        self.finish(
            command,
            answer,
            run_lines(document, document.get("notes", [])),
            changed=bool(changes) if is_check else bool(document.get("changed")),
            changes=changes,
            diff=make_diff(self._options["cluster"], changes),
            notes=document.get("notes", []),
            **run_results(document),
            **results,
        )

    def _where(self):
        name = self._options["cluster"] or ""
        if not CLUSTER_NAME.fullmatch(name):
            self._module.fail_json(
                msg=f"`cluster` is {name!r}. Name one cluster of the inventory, without a pattern.", exit_code=64
            )
        return ["-i", self._options["inventory"], "-c", name]

    def _state(self):
        return ["--state-dir", self._options["state_dir"]] if self._options["state_dir"] else []

    def _environment(self):
        return {name: str(value) for name, value in (self._options["secrets"] or {}).items()}


def option_words(options, flags=(), values=(), lists=()):
    """Return the words of a command line for the options of a module that are set, in the order of their names here."""
    words = [_flag(name) for name in flags if options[name]]
    for name in values:
        if options[name] is not None:
            words += [_flag(name), options[name]]
    for name in lists:
        for value in options[name]:
            words += [_flag(name), value]
    return words


def _flag(name):
    return "--" + name.replace("_", "-")


def _describe_error(error):
    return [text for text in (error.get("message"), error.get("next_step")) if text]


def _read_document(out):
    try:
        document = json.loads(out)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _read_events(path):
    """Return the events in a file, oldest first; what follows a line that is not whole is left out.

    Events are for progress and for differences: how the command ended, the document says.
    """
    events = []
    try:
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            events.append(json.loads(line))  # noqa: PERF401 - what was read before a broken line counts
    except (OSError, ValueError):
        return events
    return events
