"""The JSON document of a diagnosis: times in RFC 3339 UTC, certificates once, by their fingerprints."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from remediate.model.canonical import rfc3339
from remediate.model.diagnosis import AlertCount, CapturedChain, CapturedEndpoint, Diagnosis, Finding
from remediate.model.evidence import BadGateway, LoggedFailure, LogTime, OtherProcessFailures
from remediate.model.verdict import Verdict

FORMAT = "remediate.diagnosis/1"


def diagnosis_document(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return `diagnosis` as plain JSON values. Text of logs and captures is passed on as it was read: it is untrusted."""
    evidence = diagnosis.evidence
    endpoints = [endpoint for finding in diagnosis.findings for endpoint in finding.captured_endpoints]
    chains = [chain for endpoint in endpoints for chain in endpoint.chains]
    built_chains = [chain.verdict.built_chain for chain in chains if chain.verdict]
    certificates = [
        certificate for chain in (*(chain.certificates for chain in chains), *built_chains) for certificate in chain
    ]
    certificates += [certificate for endpoint in endpoints for chain in endpoint.client_chains for certificate in chain]
    return {
        "format": FORMAT,
        "complete": diagnosis.is_complete,
        "outcome": diagnosis.outcome,
        "read": {
            "text_files": evidence.logs_read,
            "lines": evidence.lines_read,
            "captures": evidence.captures_read,
            "packets": evidence.packets_read,
        },
        "looked_at": asdict(evidence.coverage),
        "other_failures": [_dump_other_failures(failures) for failures in evidence.other_failures],
        "openssl": [
            {"peer": sign.peer, "generation": sign.generation, "lines": sign.lines, "last": _dump_log_time(sign.last_seen)}
            for sign in evidence.openssl_signs
        ],
        "findings": [_dump_finding(finding) for finding in diagnosis.findings],
        "unread": [{"where": source.path, "reason": source.reason} for source in evidence.unread_sources],
        "certificates": {certificate.fingerprint: certificate.pem for certificate in certificates},
    }


def _dump_finding(finding: Finding) -> dict[str, Any]:
    return {
        "address": finding.address,
        "ip": finding.ip,
        "port": finding.ports[0] if len(finding.ports) == 1 else None,
        "ports": list(finding.ports),
        "possible_ports": list(finding.possible_ports),
        "standing": finding.status,
        "process": finding.process,
        **_dump_refusal(finding.verdict),
        "logged": [_dump_logged_failure(failure) for failure in finding.logged_failures],
        "bad_gateways": [_dump_bad_gateway(gateway) for gateway in finding.bad_gateways],
        "captured": [_dump_endpoint(endpoint) for endpoint in finding.captured_endpoints],
        "remarks": list(finding.remarks),
        "advice": list(finding.advice),
        "commands": list(finding.commands),
        "nodes": [_dump_node(node) for node in finding.nodes],
    }


def _dump_node(node: Finding) -> dict[str, Any]:
    """Return the place of one of many nodes with one cause; their evidence is in the finding that represents them."""
    return {
        "address": node.address,
        "ip": node.ip,
        "port": node.ports[0] if len(node.ports) == 1 else None,
        "ports": list(node.ports),
        "possible_ports": list(node.possible_ports),
        "peers": sorted({failure.peer for failure in node.logged_failures if failure.peer}),
        "lines": sum(failure.lines for failure in node.logged_failures),
        "connections": sum(endpoint.connections for endpoint in node.captured_endpoints),
        "requests": sum(gateway.requests for gateway in node.bad_gateways),
    }


def _dump_logged_failure(failure: LoggedFailure) -> dict[str, Any]:
    return {
        "peer": failure.peer,
        "kind": failure.kind,
        "error": failure.error,
        "alert": failure.alert,
        "sni": failure.sni,
        "server": failure.server,
        "enforced": failure.enforced,
        "lines": failure.lines,
        "requests_at_least": failure.requests,
        "first": _dump_log_time(failure.first_seen),
        "last": _dump_log_time(failure.last_seen),
    }


def _dump_other_failures(failures: OtherProcessFailures) -> dict[str, Any]:
    return {
        "peer": failures.peer,
        "process": failures.process,
        "lines": failures.lines,
        "first": _dump_log_time(failures.first_seen),
        "last": _dump_log_time(failures.last_seen),
    }


def _dump_bad_gateway(gateway: BadGateway) -> dict[str, Any]:
    return {
        "peer": gateway.peer,
        "view": gateway.view,
        "tunnel_down": gateway.tunnel_down,
        "port": gateway.port,
        "requests": gateway.requests,
        "first": _dump_log_time(gateway.first_seen),
        "last": _dump_log_time(gateway.last_seen),
    }


def _dump_endpoint(endpoint: CapturedEndpoint) -> dict[str, Any]:
    return {
        "server": endpoint.server_ip,
        "port": endpoint.port,
        "server_name": endpoint.server_name,
        "address": endpoint.address,
        "clients": list(endpoint.client_ips),
        "connections": endpoint.connections,
        "versions": [f"0x{version:04x}" for version in endpoint.versions],
        "suites": list(endpoint.suites),
        "prefers": list(endpoint.preferred_families),
        "chains": [_dump_chain(chain) for chain in endpoint.chains],
        "alerts": _dump_alerts(endpoint.alerts),
        "asks_for_client_certificate": endpoint.requests_client_certificate,
        "client_chains": [[certificate.fingerprint for certificate in chain] for chain in endpoint.client_chains],
        "went_on": endpoint.accepted_connections,
        "resumed": endpoint.resumed_connections,
        "tls13": endpoint.tls13_connections,
        "incomplete": endpoint.incomplete_connections,
        "unreadable": endpoint.malformed_connections,
        "unanswered": endpoint.unanswered_connections,
        "first": _dump_moment(endpoint.first_seen),
        "last": _dump_moment(endpoint.last_seen),
    }


def _dump_chain(chain: CapturedChain) -> dict[str, Any]:
    return {
        "certificates": [certificate.fingerprint for certificate in chain.certificates],
        "key": chain.certificates[0].key_family,
        "ok": chain.verdict.ok if chain.verdict else None,
        **_dump_refusal(chain.verdict),
        "remarks": list(chain.remarks),
        "alerts": _dump_alerts(chain.alerts),
        "went_on": chain.accepted_connections,
        "connections": chain.connections,
        "first": _dump_moment(chain.first_seen),
        "last": _dump_moment(chain.last_seen),
    }


def _dump_refusal(verdict: Verdict | None) -> dict[str, Any]:
    return {
        "cause": verdict.cause if verdict else None,
        "error": verdict.error if verdict else None,
        "code": verdict.code if verdict else None,
        "depth": verdict.depth if verdict else None,
    }


def _dump_alerts(counts: tuple[AlertCount, ...]) -> list[dict[str, Any]]:
    return [
        {"by": count.alert.sender, "code": count.alert.code, "text": count.alert.text, "connections": count.connections}
        for count in counts
    ]


def _dump_moment(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def _dump_log_time(time: LogTime | None) -> str | None:
    """Return the time in RFC 3339 where the log names year and zone, else in the log's own spelling."""
    if time is None:
        return None
    return _dump_moment(time.at) or time.text
