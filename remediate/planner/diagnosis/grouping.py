"""One cause, one finding: refusals at many nodes that one change fixes, such as one missing CA certificate, are reported once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from remediate.model.diagnosis import Finding
from remediate.model.verdict import Cause, Verdict
from remediate.planner.advice.phrases import describe_certificate

_MIN_NODES: Final = 3
"""From so many nodes on, refusals with one cause are one finding."""
_EACH: Final = "each node"
_ABOUT_A_CA: Final = frozenset({Cause.ISSUER_UNKNOWN, Cause.ISSUER_UNTRUSTED})
_ABOUT_A_CHAIN: Final = frozenset({Cause.EXPIRED, Cause.NOT_YET_VALID, Cause.CHAIN_INVALID, Cause.SHADOWED})


def join_alike(findings: Iterable[Finding]) -> list[Finding]:
    """Return `findings` in their order, those of many nodes with one cause as one finding, in the place of the first."""
    groups: dict[object, list[Finding]] = {}
    for number, finding in enumerate(findings):
        groups.setdefault(_key_of(finding) or number, []).append(finding)
    return [finding for group in groups.values() for finding in _join(group)]


def _key_of(finding: Finding) -> tuple[object, ...] | None:
    """Return what findings with one cause have in common; None for a finding whose cause is its node's own."""
    verdict = finding.verdict
    if verdict is None or finding.status not in {"refused", "tolerated"} or not _is_shared(finding, verdict):
        return None
    error = (verdict.cause, verdict.error, verdict.code, verdict.depth)
    return (finding.status, finding.process, *error, *_generalise(finding, finding.advice))


def _is_shared(finding: Finding, verdict: Verdict) -> bool:
    """Return whether the cause may be outside the node: a CA certificate, or the certificate of Expressway-C that it refuses."""
    if verdict.cause in _ABOUT_A_CA:
        return True
    if verdict.cause in _ABOUT_A_CHAIN:
        return bool(verdict.depth)
    alerts = [failure.alert for failure in finding.logged_failures]
    alerts += [count.alert.code for endpoint in finding.captured_endpoints for count in endpoint.alerts]
    return verdict.cause is Cause.HANDSHAKE_FAILED and any(alert is not None for alert in alerts)


def _join(group: Sequence[Finding]) -> Iterator[Finding]:
    if len({finding.address.casefold() for finding in group}) < _MIN_NODES:
        yield from group
        return
    first = group[0]
    remarks = dict.fromkeys(remark for finding in group for remark in _generalise(finding, finding.remarks))
    yield replace(
        first,
        logged_failures=tuple(failure for finding in group for failure in finding.logged_failures),
        bad_gateways=tuple(gateway for finding in group for gateway in finding.bad_gateways),
        captured_endpoints=tuple(dict.fromkeys(endpoint for finding in group for endpoint in finding.captured_endpoints)),
        remarks=tuple(remarks),
        advice=_generalise(first, first.advice),
        commands=tuple(dict.fromkeys(command for finding in group for command in finding.commands)),
        nodes=tuple(group),
    )


def _generalise(finding: Finding, sentences: Sequence[str]) -> tuple[str, ...]:
    """Return `sentences` about one node as they hold for each of many."""
    leaves = {
        chain.certificates[0] for endpoint in finding.captured_endpoints for chain in endpoint.chains if len(chain.certificates)
    }
    general = []
    for sentence in sentences:
        text = sentence
        for leaf in leaves:
            text = text.replace(describe_certificate(leaf), "its certificate")
        text = text.replace(finding.address, _EACH)
        general.append(f"{text[0].upper()}{text[1:]}" if text.startswith(_EACH) else text)
    return tuple(general)
