"""The words of a diagnosis: what was read, where and why something was refused, what logs and captures tell of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from remediate.model.canonical import rfc3339
from remediate.model.diagnosis import Finding, SeenEndpoint
from remediate.model.evidence import Evidence, Logged, Moment
from remediate.model.words import count
from remediate.report.text import clean

_TLS = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3"}


def read_sentence(evidence: Evidence) -> str:
    """Return what was read."""
    logs = f"{count(evidence.logs, 'text file')} of {count(evidence.lines, 'line')}"
    return f"Read {logs} and {count(evidence.captures, 'capture')} of {count(evidence.packets, 'packet')}."


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
    return f"{clean(verdict.error or '')}{where}"


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
