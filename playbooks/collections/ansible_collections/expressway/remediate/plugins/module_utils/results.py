# Copyright (c) remediate contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Results of the modules: what the next task needs of each document, and the sentences for people.

Whole documents stay out: a plan holds every certificate and every endpoint, and the results of a job are kept and shown.
"""

from __future__ import annotations


def plan_results(plan):
    """Return the results of a plan's document."""
    actions = [_without(action, "because") for action in plan.get("actions", [])]
    return {
        "plan_id": plan.get("id"),
        "complete": plan.get("complete"),
        "pending": bool(actions),
        "actions": actions,
        "approvals_required": approvals_required(plan),
        "unresolved": plan.get("unresolved", []),
        "notes": plan.get("notes", []),
    }


def approvals_required(plan):
    """Return the certificates that a plan trusts and that no trusted source confirms, each with what identifies it."""
    facts = plan.get("facts", {})
    return [
        {
            "certificate": action["certificate"],
            "subject": facts.get(action["certificate"], {}).get("subject"),
            "not_after": facts.get(action["certificate"], {}).get("not_after"),
            "peers": action.get("peers") or [action["node"]],
            "because": action["because"],
        }
        for action in plan.get("actions", [])
        if action.get("approval") == "required"
    ]


def plan_lines(plan, plan_file):
    """Return the sentences on a plan."""
    if not plan.get("id"):
        return []
    where = f"; `remediate show {plan_file}` shows them with their reasons" if plan_file else ""
    lines = [f"Plan {plan['id']}: {_count(len(plan['actions']), 'action')}{where}."]
    lines += [_describe_action(action, plan.get("facts", {})) for action in plan["actions"]]
    lines += [
        f"Stays refused: {entry['address']}:{entry['port']}, {entry['cause']}. {entry['advice']}"
        for entry in plan.get("unresolved", [])
    ]
    return lines + plan.get("notes", [])


def run_results(document):
    """Return the results of a run: an apply, a rollback or a restart."""
    endpoints = document.get("endpoints", [])
    return {
        "plan_id": document.get("plan"),
        "run_id": document.get("run"),
        "state": document.get("state"),
        "open_steps": document.get("open_steps", []),
        "in_effect": document.get("in_effect", {}),
        "checks": {"passed": sum(entry["ok"] for entry in endpoints), "total": len(endpoints)},
        "refused": [entry for entry in endpoints if not entry["ok"]],
    }


def run_lines(document, notes):
    """Return the sentences on a run: what it came to, what is left to people, and what everyone has to know."""
    message = [document["message"]] if document.get("message") else []
    return [*message, *document.get("open_steps", []), *notes]


def verify_results(document):
    """Return the results of a verification."""
    endpoints = document.get("endpoints", [])
    return {
        "complete": document.get("complete"),
        "checks": {"passed": sum(entry["ok"] for entry in endpoints), "total": len(endpoints)},
        "refused": [entry for entry in endpoints if not entry["ok"]],
        "clients_refused": [entry for entry in endpoints if entry["client"]["state"] == "refused"],
        "in_effect": document.get("in_effect", {}),
        "unresolved": document.get("unresolved", []),
        "alarms": document.get("alarms", []),
        "toward_nodes": [entry for entry in document.get("toward_nodes", []) if not entry["ok"]],
        "future": document.get("future"),
    }


def verify_lines(results):
    """Return the sentences on a verification, from its results."""
    checks = results["checks"]
    lines = [*results["alarms"]]
    passing = "check passes" if checks["total"] == 1 else "checks pass"
    lines += [f"{checks['passed']} of {checks['total']} {passing}."] if checks["total"] else []
    lines += [
        f"Refused: {entry['address']}:{entry['port']} from {entry['peer']}, {entry['cause']}." for entry in results["refused"]
    ]
    lines += [
        f"A client is refused: {entry['address']}:{entry['port']} through {entry['peer']}: {entry['client']['said']}."
        for entry in results["clients_refused"]
    ]
    lines += effect_lines(results["in_effect"])
    lines += [
        f"{entry['node']} ({entry['store']}) does not accept the certificate of {entry['peer']}: {entry['cause']}. {entry['advice']}"
        for entry in results["toward_nodes"]
        if entry["cause"] != "not-observed"
    ]
    return lines


def effect_lines(in_effect):
    """Return a sentence for each peer that is not known to use what was written to it."""
    words = {"no": "Not in effect", "not-known": "Not known to be in effect"}
    return [
        f"{words[effect['state']]} on {peer}: {effect['said']}."
        for peer, effect in in_effect.items()
        if effect["state"] in words
    ]


def restart_lines(preview):
    """Return a sentence for each peer of a rehearsed restart: its calls, and each guard that does not hold."""
    lines = []
    for peer in preview.get("peers", []):
        guards = [
            f"{guard['guard']} {guard['state']}: {guard['said']}" for guard in peer["guards"] if guard["state"] != "holds"
        ]
        calls = "calls not observed" if peer["calls"] is None else _count(peer["calls"], "call")
        lines.append(" ".join([f"Would restart {peer['peer']}, {calls}.", *guards]))
    return lines


def workaround_lines(peers):
    """Return a sentence for each peer: whether it verifies certificates."""
    words = {True: "on", False: "OFF, the workaround is on", None: "not known"}
    lines = [f"{peer['peer']}: verification is {words[peer['verification']]}. {peer['problem'] or ''}" for peer in peers]
    return [line.strip() for line in lines]


def certificate_lines(document):
    """Return a sentence for each certificate."""
    return [
        f"{_describe_days(entry['days_left'])}: {entry['subject']} {entry['fingerprint']}"
        for entry in document.get("certificates", [])
    ]


def _describe_days(days):
    if days is None:
        return "No end"
    return f"Ends in {_count(days, 'day')}" if days >= 0 else "Expired"


def _describe_action(action, facts):
    names = [action["id"], action["kind"]]
    if "certificate" in action:
        names += [facts.get(action["certificate"], {}).get("subject", ""), action["certificate"]]
    names += [action[key] for key in ("name", "publisher", "when", "store") if key in action]
    places = action.get("peers") or ([action["node"]] if "node" in action else [])
    peers = f"on {', '.join(places)}" if places else ""
    approval = f"approval {action['approval']}" if "approval" in action else ""
    return ", ".join(word for word in (" ".join(name for name in names if name), peers, approval) if word) + "."


def _count(number, noun):
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _without(mapping, key):
    return {name: value for name, value in mapping.items() if name != key}
