"""What a plan takes out, and for whose sake: the endpoints that would fail were that one certificate left where it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from remediate.model.certificate import Certificate
from remediate.model.identity import Address
from remediate.model.plan import EndpointForecast, RemoveCertificate
from remediate.model.snapshot import Peer, Snapshot
from remediate.planner.forecast import Forecaster
from remediate.planner.solver.common_name_groups import slot_of
from remediate.planner.solver.solver import Choice
from remediate.trust.verify import Chain


def removals(
    snapshot: Snapshot, choice: Choice, forecaster: Forecaster, mended: Iterable[EndpointForecast]
) -> list[RemoveCertificate]:
    """Return one action per certificate and way of removal, by fingerprint, not yet numbered."""
    by_peer: dict[Address, list[EndpointForecast]] = {}
    for one in mended:
        by_peer.setdefault(one.peer, []).append(one)
    taken_out = sorted({one for some in choice.removed.values() for one in some}, key=lambda one: one.fingerprint)
    found: list[RemoveCertificate] = []
    for certificate in taken_out:
        peers = [peer for peer in snapshot.peers if certificate in choice.removed.get(peer.address, ())]
        for way in sorted({peer.removal for peer in peers}, reverse=True):
            some = [peer for peer in peers if peer.removal == way]
            reasons = {
                name
                for peer in some
                for name in _needing(
                    forecaster, by_peer.get(peer.address, ()), _left_there(snapshot, choice, peer, certificate)
                )
            }
            addresses = tuple(peer.address for peer in some)
            found.append(RemoveCertificate("", certificate.fingerprint, addresses, way, tuple(sorted(reasons))))
    return found


def _needing(forecaster: Forecaster, mended: Iterable[EndpointForecast], trusted: Chain) -> Iterator[str]:
    """Those of `mended` that would fail with this list, by name."""
    for one in mended:
        endpoint = forecaster.endpoints[one.address, one.port]
        if not forecaster.outcome_with(trusted, one.peer, endpoint).verdict.ok:
            yield endpoint.name


def _left_there(snapshot: Snapshot, choice: Choice, peer: Peer, certificate: Certificate) -> Chain:
    """The list of `peer` as the plan leaves it, but with `certificate` where it was, and without what takes its slot."""
    gone = {one for one in choice.removed[peer.address] if one != certificate}
    stays = (snapshot.certificates[one] for one in peer.trusted_ca)
    added = (one for one in choice.added[peer.address] if slot_of(one) != slot_of(certificate))
    return (*(one for one in stays if one not in gone), *added)
