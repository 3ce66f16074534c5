"""A diagnosis as the one document of ``--json``: times in RFC 3339 UTC, certificates once, under their fingerprints."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from remediate.model.canonical import rfc3339
from remediate.model.diagnosis import AlertSeen, Diagnosis, Finding, SeenChain, SeenEndpoint
from remediate.model.evidence import BadGateway, Logged, Moment, OtherFailures

FORMAT = "remediate.diagnosis/1"


def diagnosis_document(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return `diagnosis` as plain JSON values. Text from logs and captures stands as it was read: it is untrusted."""
    evidence = diagnosis.evidence
    chains = [chain for finding in diagnosis.findings for endpoint in finding.seen for chain in endpoint.chains]
    certificates = {one.fingerprint: one.pem for chain in chains for one in (*chain.certificates, *chain.built)}
    shown = [chain for finding in diagnosis.findings for endpoint in finding.seen for chain in endpoint.client_chains]
    certificates |= {certificate.fingerprint: certificate.pem for chain in shown for certificate in chain}
    return {
        "format": FORMAT,
        "complete": diagnosis.complete,
        "outcome": diagnosis.outcome,
        "read": {
            "text_files": evidence.logs,
            "lines": evidence.lines,
            "captures": evidence.captures,
            "packets": evidence.packets,
        },
        "looked_at": asdict(evidence.looked_at),
        "other_failures": [_other_failures(failures) for failures in evidence.other_failures],
        "findings": [_finding(finding) for finding in diagnosis.findings],
        "unread": [{"where": one.where, "reason": one.reason} for one in evidence.unread],
        "certificates": certificates,
    }


def _finding(one: Finding) -> dict[str, Any]:
    verdict = one.verdict
    return {
        "address": one.address,
        "ip": one.ip,
        "port": one.ports[0] if len(one.ports) == 1 else None,
        "ports": list(one.ports),
        "possible_ports": list(one.possible_ports),
        "standing": one.standing,
        "process": one.process,
        "cause": verdict.cause if verdict else None,
        "error": verdict.error if verdict else None,
        "code": verdict.code if verdict else None,
        "depth": verdict.depth if verdict else None,
        "logged": [_logged(line) for line in one.logged],
        "bad_gateways": [_answered(answered) for answered in one.bad_gateways],
        "captured": [_endpoint(endpoint) for endpoint in one.seen],
        "remarks": list(one.remarks),
        "advice": list(one.advice),
        "commands": list(one.commands),
    }


def _logged(one: Logged) -> dict[str, Any]:
    return {
        "peer": one.peer,
        "kind": one.kind,
        "error": one.error,
        "alert": one.alert,
        "enforced": one.enforced,
        "lines": one.lines,
        "requests_at_least": one.requests,
        "first": _moment(one.first),
        "last": _moment(one.last),
    }


def _other_failures(failures: OtherFailures) -> dict[str, Any]:
    return {
        "peer": failures.peer,
        "process": failures.process,
        "lines": failures.lines,
        "first": _moment(failures.first),
        "last": _moment(failures.last),
    }


def _answered(one: BadGateway) -> dict[str, Any]:
    return {
        "peer": one.peer,
        "port": one.port,
        "requests": one.requests,
        "first": _moment(one.first),
        "last": _moment(one.last),
    }


def _endpoint(one: SeenEndpoint) -> dict[str, Any]:
    return {
        "server": one.server,
        "port": one.port,
        "server_name": one.server_name,
        "address": one.address,
        "clients": list(one.clients),
        "connections": one.connections,
        "versions": [f"0x{version:04x}" for version in one.versions],
        "suites": list(one.suites),
        "prefers": list(one.prefers),
        "chains": [_chain(chain) for chain in one.chains],
        "alerts": _alerts(one.alerts),
        "asks_for_client_certificate": one.asks,
        "client_chains": [[certificate.fingerprint for certificate in chain] for chain in one.client_chains],
        "went_on": one.went_on,
        "resumed": one.resumed,
        "tls13": one.encrypted,
        "incomplete": one.incomplete,
        "unreadable": one.unreadable,
        "unanswered": one.unanswered,
        "first": _time(one.first),
        "last": _time(one.last),
    }


def _chain(one: SeenChain) -> dict[str, Any]:
    verdict = one.verdict
    return {
        "certificates": [certificate.fingerprint for certificate in one.certificates],
        "key": one.certificates[0].key_family,
        "ok": verdict.ok if verdict else None,
        "cause": verdict.cause if verdict else None,
        "error": verdict.error if verdict else None,
        "code": verdict.code if verdict else None,
        "depth": verdict.depth if verdict else None,
        "remarks": list(one.remarks),
        "alerts": _alerts(one.alerts),
        "went_on": one.went_on,
        "connections": one.connections,
        "first": _time(one.first),
        "last": _time(one.last),
    }


def _alerts(seen: tuple[AlertSeen, ...]) -> list[dict[str, Any]]:
    return [
        {"by": one.alert.by, "code": one.alert.code, "text": one.alert.text, "connections": one.connections} for one in seen
    ]


def _time(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def _moment(moment: Moment | None) -> str | None:
    """RFC 3339 where the log names year and zone; else what is written there."""
    if moment is None:
        return None
    return _time(moment.at) or moment.written
