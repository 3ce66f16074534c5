"""The servers of captures: what each presented, judged by a trusted CA list where one is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from remediate.model.certificate import Certificate
from remediate.model.diagnosis import AlertSeen, SeenChain, SeenEndpoint
from remediate.model.evidence import TLS_1_3, Handshake
from remediate.model.text import first_few
from remediate.planner.advice.phrases import describe_certificate, format_expiry_day
from remediate.trust.chain_verifier import Chain
from remediate.trust.hostnames import matching_addresses, name_matches
from remediate.trust.suites import preferred_family, suite_name
from remediate.trust.verify import explain_chain

_MAX_NAMES = 6


def seen_endpoints(handshakes: Iterable[Handshake], trusted: Chain | None, now: datetime) -> tuple[SeenEndpoint, ...]:
    """Return the servers in `handshakes`, each under each name that clients asked it for.

    Args:
        trusted: the peer's trusted CA list; None where it is not known.
        now: for captures without a clock.
    """
    groups: dict[tuple[str, int, str | None], list[Handshake]] = {}
    for handshake in handshakes:
        groups.setdefault((handshake.server, handshake.port, _address(handshake)), []).append(handshake)
    return tuple(_endpoint(group, trusted, now) for group in groups.values())


def _address(one: Handshake) -> str | None:
    """What was asked for: the name in the hello, or the IP address where it has none; None where no hello was captured."""
    return one.server_name or (one.server if one.offered else None)


def _endpoint(group: Sequence[Handshake], trusted: Chain | None, now: datetime) -> SeenEndpoint:
    first = group[0]
    moments = [moment for one in group for moment in (one.first, one.last) if moment]
    return SeenEndpoint(
        server=first.server,
        port=first.port,
        server_name=first.server_name,
        address=_address(first),
        clients=tuple(dict.fromkeys(one.client for one in group)),
        connections=_sum(group),
        versions=tuple(dict.fromkeys(one.version for one in group if one.version is not None)),
        suites=tuple(dict.fromkeys(suite_name(one.suite) for one in group if one.suite is not None)),
        prefers=tuple(dict.fromkeys(family for one in group if (family := preferred_family(one.offered)))),
        chains=tuple(_chains(group, trusted, now)),
        alerts=tuple(_alerts(group)),
        asks=any(one.asks for one in group),
        went_on=_sum(one for one in group if one.went_on),
        resumed=_sum(one for one in group if one.went_on and _shows_all(one) and not (one.chain or one.unreadable)),
        encrypted=_sum(one for one in group if one.version == TLS_1_3),
        incomplete=_sum(one for one in group if one.incomplete),
        unreadable=_sum(one for one in group if one.unreadable),
        unanswered=_sum(one for one in group if _shows_all(one) and one.version is None and not one.chain and not one.alerts),
        first=min(moments, default=None),
        last=max(moments, default=None),
        client_chains=tuple(dict.fromkeys(one.client_certificate for one in group if one.client_certificate)),
    )


def _shows_all(handshake: Handshake) -> bool:
    """Whether what is not in `handshake` was not sent, rather than not captured."""
    return not handshake.incomplete and handshake.only_side is None


def _sum(group: Iterable[Handshake]) -> int:
    return sum(one.connections for one in group)


def _alerts(group: Sequence[Handshake]) -> Iterator[AlertSeen]:
    for alert in dict.fromkeys(alert for one in group for alert in one.alerts):
        yield AlertSeen(alert, _sum(one for one in group if alert in one.alerts))


def _chains(group: Sequence[Handshake], trusted: Chain | None, now: datetime) -> Iterator[SeenChain]:
    """Each chain once, by the fingerprints in it."""
    for chain in dict.fromkeys(one.chain for one in group if one.chain):
        same = [one for one in group if one.chain == chain]
        first = min((one.first for one in same if one.first), default=None)
        last = max((one.last for one in same if one.last), default=None)
        at = last or now
        address = _address(same[0])
        explained = explain_chain(chain, trusted, address, at) if trusted is not None else None
        yield SeenChain(
            chain, explained.verdict if explained else None, explained.built_chain if explained else (),
            tuple(_remarks(chain, address, at, judged=explained is not None)), tuple(_alerts(same)),
            _sum(one for one in same if one.went_on), _sum(same), first, last,
        )  # fmt: skip


def _remarks(chain: Chain, address: str | None, at: datetime, *, judged: bool) -> Iterator[str]:
    """What needs no list to be said."""
    if not judged:
        yield _trust_of(chain)
    if address is not None and not name_matches(chain[0], address):
        yield f"Its names do not hold {address}: {_names(chain[0])}."
    for certificate in chain:
        if certificate.not_after and certificate.not_after <= at:
            yield f"{describe_certificate(certificate)} had expired then, on {format_expiry_day(certificate)}."
        if certificate.not_before and certificate.not_before > at:
            yield f"{describe_certificate(certificate)} was not valid yet."


def _trust_of(chain: Chain) -> str:
    leaf, end = chain[0], chain[-1]
    if leaf.self_signed:
        return "It is self-signed: it verifies only where this certificate itself is in the peer's list."
    if end.self_signed:
        return f"It is presented up to its root: it verifies only where {describe_certificate(end)} is in the peer's list."
    return (
        f"It lacks the CA certificate {end.issuer or 'with an empty name'!r}: it verifies only where the peer's list holds it."
    )


def _names(leaf: Certificate) -> str:
    names = matching_addresses(leaf)
    return first_few(names, _MAX_NAMES) if names else "it has no name at all"
