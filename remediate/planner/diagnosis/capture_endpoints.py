"""The TLS servers in captures: the chains that each presented, judged by a trusted CA list where one is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from remediate.model.certificate import Certificate, Chain
from remediate.model.diagnosis import AlertCount, CapturedChain, CapturedEndpoint
from remediate.model.evidence import TLS_1_3, Handshake
from remediate.model.text import first_few
from remediate.planner.advice.phrases import describe_certificate, format_expiry_day
from remediate.planner.diagnosis.trusted_lists import TrustedLists
from remediate.trust.hostnames import matching_addresses, name_matches
from remediate.trust.suites import preferred_family, suite_name
from remediate.trust.verifier import verify_chain

_MAX_NAMES = 6


def group_endpoints(handshakes: Iterable[Handshake], lists: TrustedLists, now: datetime) -> tuple[CapturedEndpoint, ...]:
    """Return the servers in `handshakes`, each once for each name that clients asked for.

    Args:
        handshakes: The handshakes in captures, in any order.
        lists: The trusted CA lists of the peers.
        now: The moment to judge at where a capture has no clock.
    """
    groups: dict[tuple[str, int, str | None], list[Handshake]] = {}
    for handshake in handshakes:
        groups.setdefault((handshake.server_ip, handshake.port, _requested_address(handshake)), []).append(handshake)
    return tuple(_summarise_endpoint(group, lists, now) for group in groups.values())


def _requested_address(handshake: Handshake) -> str | None:
    """Return the SNI, or the IP address where the hello has none; None where no hello was captured."""
    return handshake.server_name or (handshake.server_ip if handshake.offered_suites else None)


def _summarise_endpoint(group: Sequence[Handshake], lists: TrustedLists, now: datetime) -> CapturedEndpoint:
    first = group[0]
    moments = [moment for handshake in group for moment in (handshake.first_seen, handshake.last_seen) if moment]
    return CapturedEndpoint(
        server_ip=first.server_ip,
        port=first.port,
        server_name=first.server_name,
        address=_requested_address(first),
        client_ips=tuple(dict.fromkeys(handshake.client_ip for handshake in group)),
        connections=_count_connections(group),
        versions=tuple(dict.fromkeys(handshake.version for handshake in group if handshake.version is not None)),
        suites=tuple(dict.fromkeys(suite_name(handshake.suite) for handshake in group if handshake.suite is not None)),
        preferred_families=tuple(
            dict.fromkeys(family for handshake in group if (family := preferred_family(handshake.offered_suites)))
        ),
        chains=tuple(_judge_chains(group, lists, now)),
        alerts=tuple(_count_alerts(group)),
        requests_client_certificate=any(handshake.requests_client_certificate for handshake in group),
        accepted_connections=_count_connections(handshake for handshake in group if handshake.client_accepted),
        resumed_connections=_count_connections(handshake for handshake in group if _is_resumed(handshake)),
        tls13_connections=_count_connections(handshake for handshake in group if handshake.version == TLS_1_3),
        incomplete_connections=_count_connections(handshake for handshake in group if handshake.incomplete),
        malformed_connections=_count_connections(handshake for handshake in group if handshake.malformed),
        unanswered_connections=_count_connections(handshake for handshake in group if _is_unanswered(handshake)),
        first_seen=min(moments, default=None),
        last_seen=max(moments, default=None),
        client_chains=tuple(dict.fromkeys(handshake.client_chain for handshake in group if handshake.client_chain)),
    )


def _is_fully_captured(handshake: Handshake) -> bool:
    """Return whether a message that `handshake` lacks was not sent, rather than not captured."""
    return not handshake.incomplete and handshake.captured_side is None


def _is_resumed(handshake: Handshake) -> bool:
    presented = bool(handshake.chain) or handshake.malformed
    return handshake.client_accepted and _is_fully_captured(handshake) and not presented


def _is_unanswered(handshake: Handshake) -> bool:
    answered = handshake.version is not None or handshake.chain or handshake.alerts
    return _is_fully_captured(handshake) and not answered


def _count_connections(handshakes: Iterable[Handshake]) -> int:
    return sum(handshake.connections for handshake in handshakes)


def _count_alerts(group: Sequence[Handshake]) -> Iterator[AlertCount]:
    for alert in dict.fromkeys(alert for handshake in group for alert in handshake.alerts):
        yield AlertCount(alert, _count_connections(handshake for handshake in group if alert in handshake.alerts))


def _judge_chains(group: Sequence[Handshake], lists: TrustedLists, now: datetime) -> Iterator[CapturedChain]:
    """Yield each chain once for each list, by its fingerprints, judged at the time of its last handshake."""
    judged = {handshake: lists.of_client(handshake.client_ip) for handshake in group if handshake.chain}
    for chain, trusted in dict.fromkeys((handshake.chain, trusted) for handshake, trusted in judged.items()):
        with_chain = [handshake for handshake, by in judged.items() if (handshake.chain, by) == (chain, trusted)]
        first_seen = min((handshake.first_seen for handshake in with_chain if handshake.first_seen), default=None)
        last_seen = max((handshake.last_seen for handshake in with_chain if handshake.last_seen), default=None)
        at = last_seen or now
        address = _requested_address(with_chain[0])
        yield CapturedChain(
            certificates=chain,
            trusted=trusted if trusted is None else tuple(trusted),
            verdict=verify_chain(chain, trusted, address, at) if trusted is not None else None,
            remarks=tuple(_describe_chain(chain, address, at, judged=trusted is not None)),
            alerts=tuple(_count_alerts(with_chain)),
            accepted_connections=_count_connections(handshake for handshake in with_chain if handshake.client_accepted),
            connections=_count_connections(with_chain),
            first_seen=first_seen,
            last_seen=last_seen,
        )


def _describe_chain(chain: Chain, address: str | None, at: datetime, *, judged: bool) -> Iterator[str]:
    """Yield the remarks that need no trusted CA list."""
    if not judged:
        yield _describe_required_trust(chain)
    if address is not None and not name_matches(chain[0], address):
        yield f"{address} is not among its names: {_list_names(chain[0])}."
    for certificate in chain:
        if certificate.not_after and certificate.not_after <= at:
            yield f"{describe_certificate(certificate)} had expired by then, on {format_expiry_day(certificate)}."
        if certificate.not_before and certificate.not_before > at:
            yield f"{describe_certificate(certificate)} was not valid yet."


def _describe_required_trust(chain: Chain) -> str:
    leaf, end = chain[0], chain[-1]
    if leaf.self_signed:
        return "It is self-signed: it verifies only where this certificate itself is in the peer's list."
    if end.self_signed:
        return f"It is presented up to its root: it verifies only where {describe_certificate(end)} is in the peer's list."
    return f"It lacks the CA certificate {end.issuer or 'with an empty name'!r}: it verifies only if the peer's list has it."


def _list_names(leaf: Certificate) -> str:
    names = matching_addresses(leaf)
    return first_few(names, _MAX_NAMES) if names else "it has none"
