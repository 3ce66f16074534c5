"""Refresh of discovery, with which a plan ends: who can do it, and whether the publisher would pass its verification afterwards.

Discovery asks the publisher over TLS with a cipher list of its own, so it may be refused where the traffic server is not. What is
discovered now would then be lost: such a refresh is left to a person, with what has to be done first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from remediate.model.expressway import RSA_PREFIX, UC_CLIENT_CIPHERS
from remediate.model.identity import CipherList, host_and_port
from remediate.model.plan import RefreshDiscovery
from remediate.model.snapshot import Endpoint, Peer, Publisher, Snapshot
from remediate.planner.solver.solver import Choice, find_primary
from remediate.trust.ciphers import prefer
from remediate.trust.verifier import ClusterVerifier, OpenSslAnswers

_AXL_PORT: Final = 8443


def plan_refreshes(snapshot: Snapshot, choice: Choice, answers: OpenSslAnswers) -> list[RefreshDiscovery]:
    """Return the refresh of each publisher of `snapshot`; where none is known, one for a person, by the first node."""
    observed = [peer for peer in snapshot.peers if peer.error is None]
    if not snapshot.publishers:
        by_product = sorted(snapshot.endpoints, key=lambda endpoint: endpoint.product)
        return [_refresh_without_publisher(endpoint) for endpoint in by_product[:1]]
    prediction = _Prediction(snapshot, choice, find_primary(observed), answers)
    return [_plan_refresh(publisher, prediction) for publisher in snapshot.publishers]


def _refresh_without_publisher(endpoint: Endpoint) -> RefreshDiscovery:
    warning = f"The publishers were not read; {endpoint.address} is one of the servers."
    return RefreshDiscovery("", endpoint.address, endpoint.product, "person", warning)


def _plan_refresh(publisher: Publisher, prediction: _Prediction) -> RefreshDiscovery:
    action = RefreshDiscovery("", publisher.address, publisher.product, publisher.refresh)
    if danger := prediction.describe_danger(publisher):
        return replace(action, by="person", warning=danger)
    warning = f"Not over REST: {publisher.obstacle}." if publisher.obstacle else None
    return replace(action, warning=warning)


class _Prediction:
    """What discovery will get from a publisher on the primary, with the list that the plan leaves there."""

    def __init__(self, snapshot: Snapshot, choice: Choice, primary: Peer, answers: OpenSslAnswers) -> None:
        self._cluster = ClusterVerifier(snapshot, answers)
        self._endpoints = {(endpoint.address, endpoint.port): endpoint for endpoint in snapshot.endpoints}
        self._trusted = choice.after[primary.address]
        self._ciphers = primary.ciphers.get(UC_CLIENT_CIPHERS)

    def describe_danger(self, publisher: Publisher) -> str | None:
        """Return why a refresh may be refused, and what to do first; None: it passes, verifies nothing, or was not observed."""
        endpoint = self._endpoints.get((publisher.address, _AXL_PORT))
        if endpoint is None or endpoint.error is not None or publisher.tls_verify is False:
            return None
        verdict = self._cluster.verifier_with(self._trusted, self._ciphers).verify(endpoint)
        if verdict.ok:
            return None
        return (
            f"Do not refresh yet: discovery verifies {host_and_port(publisher.address, _AXL_PORT)} with {UC_CLIENT_CIPHERS}, and that "
            f"may fail ({verdict.error}). {self._describe_remedy(endpoint)}"
        )

    def _describe_remedy(self, endpoint: Endpoint) -> str:
        preferred = prefer("rsa", self._ciphers or CipherList(""))
        if preferred != self._ciphers and self._cluster.verifier_with(self._trusted, preferred).verify(endpoint).ok:
            return f"Put {RSA_PREFIX} in front of {UC_CLIENT_CIPHERS} on the primary first."
        return "Make that certificate pass first."
