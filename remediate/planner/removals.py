"""Removals: the certificates that a plan removes from the lists, and the endpoints that would fail if one of them stayed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from remediate.model.certificate import Certificate, Chain
from remediate.model.identity import Address
from remediate.model.plan import EndpointForecast, RemoveCertificate
from remediate.model.snapshot import Peer, Snapshot
from remediate.planner.forecast import Forecaster
from remediate.planner.solver.candidates import common_name_group
from remediate.planner.solver.solver import Choice


def plan_removals(
    snapshot: Snapshot, choice: Choice, forecaster: Forecaster, fixed: Iterable[EndpointForecast]
) -> list[RemoveCertificate]:
    """Return one action per certificate and method of removal, by fingerprint, not yet numbered.

    `fixed` are the forecasts of the endpoints that are refused today and verify after the plan.
    """
    fixed_at: dict[Address, list[EndpointForecast]] = {}
    for forecast in fixed:
        fixed_at.setdefault(forecast.peer, []).append(forecast)
    removed = {certificate for certificates in choice.removed.values() for certificate in certificates}
    actions: list[RemoveCertificate] = []
    for certificate in sorted(removed, key=lambda certificate: certificate.fingerprint):
        peers = [peer for peer in snapshot.peers if certificate in choice.removed.get(peer.address, ())]
        for method in sorted({peer.removal for peer in peers}, reverse=True):
            lists = {
                peer.address: _list_keeping(snapshot, choice, peer, certificate) for peer in peers if peer.removal == method
            }
            failing = {
                name for peer, trusted in lists.items() for name in _list_failing(forecaster, fixed_at.get(peer, ()), trusted)
            }
            actions.append(RemoveCertificate("", certificate.fingerprint, tuple(lists), method, tuple(sorted(failing))))
    return actions


def _list_failing(forecaster: Forecaster, fixed: Iterable[EndpointForecast], trusted: Chain) -> Iterator[str]:
    """Yield those of `fixed` that would fail with this list, by name."""
    for forecast in fixed:
        endpoint = forecaster.endpoints[forecast.endpoint]
        if not forecaster.verify_with(trusted, forecast.peer, endpoint).ok:
            yield endpoint.name


def _list_keeping(snapshot: Snapshot, choice: Choice, peer: Peer, certificate: Certificate) -> Chain:
    """Return the list of `peer` after the plan, but with `certificate` where it was, and without what replaces it."""
    removed = {removal for removal in choice.removed[peer.address] if removal != certificate}
    trusted = snapshot.resolve(peer.trusted_ca)
    group = common_name_group(certificate)
    added = (addition for addition in choice.added[peer.address] if common_name_group(addition) != group)
    return (*(listed for listed in trusted if listed not in removed), *added)
