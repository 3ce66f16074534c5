"""The words of a diagnosis: what was read, where and why something was refused, what logs and captures tell of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from remediate.model.canonical import rfc3339
from remediate.model.diagnosis import Diagnosis, Finding, SeenEndpoint
from remediate.model.evidence import Evidence, Logged, LookedAt, Moment, OtherFailures
from remediate.model.text import count, escape

_TLS = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3"}


def read_sentence(evidence: Evidence) -> str:
    """Return what was read."""
    logs = f"{count(evidence.logs, 'text file')} of {count(evidence.lines, 'line')}"
    return f"Read {logs} and {count(evidence.captures, 'capture')} of {count(evidence.packets, 'packet')}."


def looked_at_sentence(looked_at: LookedAt) -> str | None:
    """Return what there was to look at, and what was passed over; None where there was nothing of either."""
    counted = (
        (looked_at.traffic_server_lines, "line of a traffic server", "lines of a traffic server"),
        (looked_at.joined_messages, "message put together from broken lines", "messages put together from broken lines"),
        (looked_at.tls_records, "TLS record", None),
        (looked_at.cut_packets, "packet that was cut", "packets that were cut"),
        (looked_at.ip_fragments, "IP fragment", None),
        (
            looked_at.encapsulated_packets,
            "packet in a tunnel that is not understood",
            "packets in tunnels that are not understood",
        ),
        (looked_at.unreadable_packets, "packet that cannot be read", "packets that cannot be read"),
    )
    there = [count(number, noun, plural) for number, noun, plural in counted if number]
    return f"In it: {', '.join(there)}." if there else None


def other_failures_of(failures: OtherFailures) -> str:
    """Return how many lines of which process tell of failed handshakes, and when."""
    who = f"{failures.peer}: " if failures.peer else ""
    times = _span(_text_of(failures.first), _text_of(failures.last))
    return f"{who}{count(failures.lines, 'line')} of {failures.process or 'another process'}{times}"


def ending_of(diagnosis: Diagnosis) -> str | None:
    """Return what it comes to where nothing was refused; None where something was."""
    looked_at = diagnosis.evidence.looked_at
    if diagnosis.outcome == "no-failures":
        return "Nothing here tells of a refused certificate or a failed handshake of the traffic server."
    if diagnosis.outcome == "could-not-be-read":
        return "Not all could be read, and nothing was found in what could be: that is not the same as nothing there."
    if diagnosis.outcome == "failures":
        return None
    if looked_at.tls_records:
        return "There is no handshake to look at: the captures begin after the TLS connections did."
    return "There is nothing to look at: no line of a traffic server, and no TLS record."


def ports_of(finding: Finding) -> str:
    """Return the ports of `finding`, as they follow its address."""
    if finding.ports:
        return ", ".join(f":{port}" for port in finding.ports)
    possible = " or ".join(map(str, finding.possible_ports))
    return f" (port {possible})" if possible else " (the port is not known)"


def error_of(finding: Finding) -> str:
    """Return the error with its number and depth, fit for a screen."""
    verdict = finding.verdict
    if verdict is None:
        return ""
    code = [f"code {verdict.code}"] if verdict.code else []
    depth = [f"at depth {verdict.depth}"] if verdict.depth is not None else []
    where = f" ({', '.join((*code, *depth))})" if code or depth else ""
    return f"{escape(verdict.error or '')}{where}"


def told_of(finding: Finding) -> Iterator[tuple[str, str]]:
    """Give what logs and captures tell of `finding`: from which of them, and a sentence."""
    yield from _logged(finding)
    yield from _captured(finding)


def _logged(finding: Finding) -> Iterator[tuple[str, str]]:
    for line in finding.logged:
        who = f"{line.peer}: " if line.peer else ""
        yield "log", f"{who}{_lines(line)}{_span(_text_of(line.first), _text_of(line.last))}"
    for answered in finding.bad_gateways:
        who = f"{answered.peer}: " if answered.peer else ""
        times = _span(_text_of(answered.first), _text_of(answered.last))
        yield "clients", f"{who}{count(answered.requests, 'request')} to port {answered.port} answered with 502{times}"


def _lines(line: Logged) -> str:
    lines = count(line.lines, "line")
    return lines if line.lines == 1 else f"{lines}, at least {count(line.requests, 'request')}"


def _captured(finding: Finding) -> Iterator[tuple[str, str]]:
    for endpoint in finding.seen:
        yield "capture", f"{_where(endpoint)}: {_how(endpoint)}{_span(_moment(endpoint.first), _moment(endpoint.last))}"
        for alert in endpoint.alerts:
            times = f", in {count(alert.connections, 'connection')}" if alert.connections > 1 else ""
            yield "", f"the {alert.alert.by} sent {alert.alert.text}{times}"


def _where(endpoint: SeenEndpoint) -> str:
    server = f"[{endpoint.server}]" if ":" in endpoint.server else endpoint.server
    return f"{server}:{endpoint.port}"


def _how(endpoint: SeenEndpoint) -> str:
    versions = [_TLS.get(version, f"version 0x{version:04x}") for version in endpoint.versions]
    asked = [f"{' or '.join(family.upper() for family in endpoint.prefers)} asked for first"] if endpoint.prefers else []
    return ", ".join((count(endpoint.connections, "connection"), *versions, *endpoint.suites, *asked))


def _text_of(moment: Moment | None) -> str | None:
    if moment is None:
        return None
    return rfc3339(moment.at) if moment.at else moment.written


def _moment(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def _span(first: str | None, last: str | None) -> str:
    if first is None or last is None or first == last:
        return f", {first or last}" if first or last else ""
    return f", {first} to {last}"
