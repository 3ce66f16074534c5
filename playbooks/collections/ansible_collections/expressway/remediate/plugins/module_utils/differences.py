# Copyright (c) remediate contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""What a command changes on the peers of a cluster and on its nodes, and the same as differences that Ansible can show."""

from __future__ import annotations

TRUST = "trust-certificate"
REMOVE = "remove-certificate"
CIPHERS = "set-ciphers"
TRUST_ON_NODE = "trust-on-node"
DELETE_ON_NODE = "delete-on-node"
LISTED = {TRUST: True, REMOVE: False, TRUST_ON_NODE: True, DELETE_ON_NODE: False}
FIELDS = ("peer", "change", "store", "certificate", "subject", "name", "before", "after", "on", "publisher", "product")


def planned_changes(events):
    """Return the changes that a dry run would make, in order."""
    return [_change(event) for event in events if event.get("type") == "would-change" and event.get("change")]


def completed_changes(events):
    """Return the changes that a run made and read back, in order."""
    begun, changes = [], []
    for event in events:
        change = _change(event)
        if event.get("type") == "change-start":
            begun.append(change)
        elif event.get("type") == "change-complete" and change in begun:
            begun.remove(change)
            changes.append(change)
    return changes


def changes_of_plan(plan):
    """Return the changes of a plan's document, one for each peer; the cipher list is set on the primary, and replicates."""
    changes = []
    for action in plan.get("actions", []):
        kind = action["kind"]
        if kind in LISTED:
            subject = plan.get("facts", {}).get(action["certificate"], {}).get("subject", "")
            change = {"change": kind, "certificate": action["certificate"], "subject": subject}
            change.update({"store": action["store"]} if "store" in action else {})
            changes += [{"peer": peer, **change} for peer in action.get("peers") or [action["node"]]]
        elif kind == CIPHERS:
            changes.append({"change": kind, "name": action["name"], "before": action["from"], "after": action["to"]})
    return changes


def make_diff(cluster, changes):
    """Return the differences of trusted CA lists, cipher lists and the verification of certificates, as Ansible shows them."""
    diff = []
    for (peer, subject), lines in _net_lines(changes).items():
        before = [line for line, is_present in lines.items() if not is_present]
        after = [line for line, is_present in lines.items() if is_present]
        if before or after:
            header = " ".join(word for word in (cluster, peer, subject) if word)
            diff.append({"before_header": header, "after_header": header, "before": _text(before), "after": _text(after)})
    return diff


def _net_lines(changes):
    """Return, for each list, its lines that come (True) or go (False); what came and went again is left out."""
    lists = {}
    for change in changes:
        for subject, line, is_present in _lines_of(change):
            lines = lists.setdefault((change.get("peer", ""), subject), {})
            if lines.get(line) is (not is_present):
                del lines[line]
            else:
                lines[line] = is_present
    return lists


def _lines_of(change):
    kind = change["change"]
    if kind in LISTED:
        line = f"{change['certificate']} {change.get('subject', '')}"
        store = f"{change['store']}-trust" if "store" in change else "trusted CA list"
        return [(store, line.rstrip(), LISTED[kind])]
    if kind == CIPHERS:
        return [(change["name"], change["before"], False), (change["name"], change["after"], True)]
    if "on" in change:
        is_on = change["on"] == "On"
        subject = "verification of certificates"
        return [(subject, "off" if is_on else "on", False), (subject, "on" if is_on else "off", True)]
    return []


def _change(event):
    return {key: event[key] for key in FIELDS if event.get(key) is not None}


def _text(lines):
    return "".join(line + "\n" for line in lines)
