"""The sentences of a diagnosis: files that were read, ports and errors of findings, and their evidence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from remediate.language.messages import translate
from remediate.model.canonical import rfc3339
from remediate.model.certificate import Certificate
from remediate.model.diagnosis import CapturedEndpoint, Diagnosis, Finding
from remediate.model.evidence import Coverage, Evidence, LogTime, OtherProcessFailures
from remediate.model.identity import host_and_port
from remediate.model.text import count, escape, join_words
from remediate.report.lines import colon

_TLS_VERSIONS = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3"}
_VIEWS = {"peer": "", "edge": ", by the log of an Expressway-E", "client": ", by a client's own log"}


def describe_files(evidence: Evidence) -> str:
    """Return how many files, lines and packets were read."""
    return (
        f"Read {count(evidence.logs_read, 'text file')} of {count(evidence.lines_read, 'line')} "
        f"and {count(evidence.captures_read, 'capture')} of {count(evidence.packets_read, 'packet')}."
    )


def describe_lists(diagnosis: Diagnosis) -> str | None:
    """Return from whose archives the lists are that chains were verified with; None where none was."""
    judged = {
        chain.trusted
        for finding in diagnosis.findings
        for endpoint in finding.captured_endpoints
        for chain in endpoint.chains
        if chain.trusted is not None
    }
    hosts = [peer.host for peer in diagnosis.evidence.archived_peers if peer.trusted in judged]
    return f"Verified with the trusted CA list in the archive of {join_words(sorted(set(hosts)), 6)}." if hosts else None


def describe_openssl(evidence: Evidence) -> str | None:
    """Return which OpenSSL each peer runs by its own log; None where no line shows it."""
    signs = [f"{sign.peer or 'the peer'} {sign.generation}" for sign in evidence.openssl_signs]
    return f"OpenSSL by the peers' own lines: {join_words(signs, 6)}." if signs else None


def name_lists(evidence: Evidence) -> dict[tuple[Certificate, ...], str]:
    """Return the hosts whose archives hold each trusted CA list; empty where all lists are the same."""
    hosts: dict[tuple[Certificate, ...], list[str]] = {}
    for peer in evidence.archived_peers:
        if peer.trusted is not None:
            hosts.setdefault(peer.trusted, []).append(peer.host)
    return {trusted: join_words(sorted(set(names)), 6) for trusted, names in hosts.items()} if len(hosts) > 1 else {}


def describe_coverage(coverage: Coverage) -> str | None:
    """Return the counts of what was found in the files and of what was passed over; None where all are 0."""
    rows = (
        (coverage.traffic_server_lines, "line of a traffic server", "lines of a traffic server"),
        (coverage.joined_messages, "message joined from broken lines", "messages joined from broken lines"),
        (coverage.tls_records, "TLS record", "TLS records"),
        (coverage.cut_packets, "truncated packet", "truncated packets"),
        (coverage.ip_fragments, "IP fragment", "IP fragments"),
        (
            coverage.encapsulated_packets,
            "packet in an unsupported tunnel",
            "packets in unsupported tunnels",
        ),
        (coverage.unreadable_packets, "unreadable packet", "unreadable packets"),
    )
    counts = [count(number, noun, plural) for number, noun, plural in rows if number]
    return f"In it: {', '.join(counts)}." if counts else None


def describe_other_failures(failures: OtherProcessFailures) -> str:
    """Return the process, the number of its lines and their times."""
    times = _format_span(_format_log_time(failures.first_seen), _format_log_time(failures.last_seen))
    return f"{_prefix_peer(failures.peer)}{count(failures.lines, 'line')} of {failures.process or 'another process'}{times}"


def describe_outcome(diagnosis: Diagnosis) -> str | None:
    """Return the result where nothing was refused; None where something was."""
    coverage = diagnosis.evidence.coverage
    if diagnosis.outcome == "no-failures":
        return "No refused certificate and no failed handshake of the traffic server was found."
    if diagnosis.outcome == "could-not-be-read":
        return "No failure was found, but not everything could be read, so there may be failures."
    if diagnosis.outcome == "failures":
        return None
    if coverage.tls_records:
        return "There is no handshake to check: the captures begin after the TLS connections did."
    return "There is nothing to check: no line of a traffic server and no TLS record."


def describe_place(finding: Finding) -> str:
    """Return the address and the ports of `finding`, or how many nodes it represents."""
    addresses = {node.address.casefold() for node in finding.nodes}
    return count(len(addresses), "node") if addresses else f"{escape(finding.address)}{format_ports(finding)}"


def describe_nodes(finding: Finding, limit: int | None) -> Iterator[tuple[str, str]]:
    """Yield the first `limit` endpoints that `finding` represents, each with its evidence in numbers; a label, and a sentence."""
    for position, node in enumerate(finding.nodes[:limit]):
        amounts = (
            (sum(failure.lines for failure in node.logged_failures), "line"),
            (sum(endpoint.connections for endpoint in node.captured_endpoints), "connection"),
            (sum(gateway.requests for gateway in node.bad_gateways), "502"),
        )
        evidence = ", ".join(count(number, noun) for number, noun in amounts if number)
        yield "" if position else "nodes", f"{node.address}{format_ports(node)}{colon()} {evidence}"
    if limit is not None and len(finding.nodes) > limit:
        yield "", f"and {len(finding.nodes) - limit} more: `--json` has them all"


def format_ports(finding: Finding) -> str:
    """Return the ports of `finding`, to be put behind its address."""
    if finding.ports:
        return ", ".join(f":{port}" for port in finding.ports)
    possible = " or ".join(map(str, finding.possible_ports))
    return f" (port {possible})" if possible else " (port unknown)"


def format_error(finding: Finding) -> str:
    """Return the error with its number and depth, made safe for a terminal."""
    verdict = finding.verdict
    if verdict is None:
        return ""
    code = [f"code {verdict.code}"] if verdict.code else []
    depth = [f"at depth {verdict.depth}"] if verdict.depth is not None else []
    where = f" ({', '.join(map(translate, (*code, *depth)))})" if code or depth else ""
    return f"{escape(verdict.error or '')}{where}"


def describe_evidence(finding: Finding) -> Iterator[tuple[str, str]]:
    """Yield the evidence of `finding`: a label for its kind, and a sentence."""
    yield from _describe_logs(finding)
    yield from _describe_captures(finding)


def _describe_logs(finding: Finding) -> Iterator[tuple[str, str]]:
    for failure in finding.logged_failures:
        lines = count(failure.lines, "line")
        amount = lines if failure.lines == 1 else f"{lines}, at least {count(failure.requests, 'request')}"
        span = _format_span(_format_log_time(failure.first_seen), _format_log_time(failure.last_seen))
        yield "log", f"{_prefix_peer(failure.peer)}{translate(amount)}{span}"
    for gateway in finding.bad_gateways:
        requests = f"{count(gateway.requests, 'request')} to port {gateway.port} answered with 502{_VIEWS[gateway.view]}"
        span = _format_span(_format_log_time(gateway.first_seen), _format_log_time(gateway.last_seen))
        yield "clients", f"{_prefix_peer(gateway.peer)}{translate(requests)}{span}"


def _describe_captures(finding: Finding) -> Iterator[tuple[str, str]]:
    for endpoint in finding.captured_endpoints:
        span = _format_span(_format_moment(endpoint.first_seen), _format_moment(endpoint.last_seen))
        yield "capture", f"{host_and_port(endpoint.server_ip, endpoint.port)}{colon()} {_describe_connections(endpoint)}{span}"
        for alert in endpoint.alerts:
            times = f", in {count(alert.connections, 'connection')}" if alert.connections > 1 else ""
            yield "", f"the {alert.alert.sender} sent {alert.alert.text}{times}"


def _describe_connections(endpoint: CapturedEndpoint) -> str:
    versions = [_TLS_VERSIONS.get(version, f"version 0x{version:04x}") for version in endpoint.versions]
    families = " or ".join(family.upper() for family in endpoint.preferred_families)
    preference = [f"{families} preferred"] if families else []
    return ", ".join(map(translate, (count(endpoint.connections, "connection"), *versions, *endpoint.suites, *preference)))


def _prefix_peer(peer: str | None) -> str:
    return f"{peer}{colon()} " if peer else ""


def _format_log_time(time: LogTime | None) -> str | None:
    if time is None:
        return None
    return rfc3339(time.at) if time.at else time.text


def _format_moment(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def _format_span(first: str | None, last: str | None) -> str:
    if first is None or last is None or first == last:
        return f", {first or last}" if first or last else ""
    return translate(f", {first} to {last}")
