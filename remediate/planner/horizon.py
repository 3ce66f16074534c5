"""The horizon: how verdicts change by the calendar alone, while lists and presented certificates stay as they are.

A verdict can change only at a moment at which a certificate begins or ends, so judging at each of them judges at all times.
OpenSSL refuses a certificate from its ``notAfter`` on (X509_cmp_time is -1 for equal times), and accepts it from ``notBefore`` on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from remediate.model.certificate import Certificate
from remediate.model.identity import EndpointId, Fingerprint, PairId
from remediate.model.plan import FutureVerdict
from remediate.model.snapshot import Endpoint, Snapshot
from remediate.trust.verifier import ClusterVerifier, OpenSslAnswers, verify_snapshot


def foresee(snapshot: Snapshot, until: datetime) -> tuple[FutureVerdict, ...]:
    """Return each change of a verdict after the snapshot's ``taken_at``, up to and including `until`, in order of time.

    Pairs of which a peer or an endpoint was not observed have no verdict that could change.
    """
    moments = _list_moments(snapshot, until)
    if not moments:
        return ()
    changes: list[FutureVerdict] = []
    before = _Moment(snapshot)
    for at in moments:
        now = _Moment(replace(snapshot, taken_at=at))
        turning = frozenset(
            certificate for certificate in _list_certificates(snapshot) if at in (certificate.not_before, certificate.not_after)
        )
        for pair, verdict in now.verdicts.items():
            earlier = before.verdicts[pair]
            if verdict.observed and (verdict.ok, verdict.cause) != (earlier.ok, earlier.cause):
                because = now.list_reasons(pair, turning) | before.list_reasons(pair, turning)
                changes.append(
                    FutureVerdict(
                        at,
                        pair.endpoint.address,
                        pair.endpoint.port,
                        pair.peer,
                        verdict.ok,
                        verdict.cause,
                        tuple(sorted(certificate.fingerprint for certificate in because or turning)),
                    )
                )
        before = now
    return tuple(sorted(changes, key=lambda change: (change.at, change.address, change.port, change.peer)))


def list_losses(future: Iterable[FutureVerdict], working: frozenset[PairId]) -> tuple[FutureVerdict, ...]:
    """Return the first refusal in `future` of each pair of `working`, the pairs that verify now."""
    losses: dict[PairId, FutureVerdict] = {}
    for change in future:
        if not change.ok and change.pair in working:
            losses.setdefault(change.pair, change)
    return tuple(losses.values())


def is_prevented(loss: FutureVerdict, planned: Sequence[FutureVerdict], verified_by_plan: frozenset[PairId]) -> bool:
    """Return whether the pair of `loss` verifies at that moment under a plan.

    Args:
        loss: What is refused where nothing is changed.
        planned: The future that the plan leads to, in order of time.
        verified_by_plan: The pairs that verify once the plan is applied.
    """
    states = [change.ok for change in planned if change.pair == loss.pair and change.at <= loss.at]
    return states[-1] if states else loss.pair in verified_by_plan


class _Moment:
    """The verdicts of one snapshot at its ``taken_at``, and the chains that they rest on."""

    def __init__(self, snapshot: Snapshot) -> None:
        answers = OpenSslAnswers(snapshot.taken_at)
        self.verdicts = verify_snapshot(snapshot, answers)
        self._endpoints: Mapping[EndpointId, Endpoint] = {endpoint.id: endpoint for endpoint in snapshot.endpoints}
        cluster = ClusterVerifier(snapshot, answers)
        self._verifiers = {peer.address: cluster.verifier_at(peer) for peer in snapshot.peers if peer.error is None}

    def list_reasons(self, pair: PairId, turning: frozenset[Certificate]) -> frozenset[Certificate]:
        """Return those of `turning` that are in a chain which OpenSSL builds for `pair`."""
        verifier = self._verifiers.get(pair.peer)
        return turning & verifier.certificates_in_use(self._endpoints[pair.endpoint]) if verifier else frozenset()


def _list_moments(snapshot: Snapshot, until: datetime) -> list[datetime]:
    times = {
        moment
        for certificate in _list_certificates(snapshot)
        for moment in (certificate.not_before, certificate.not_after)
        if moment is not None and snapshot.taken_at < moment <= until
    }
    return sorted(times)


def _list_certificates(snapshot: Snapshot) -> list[Certificate]:
    """Return the certificates that a verdict can depend on: those in lists and those presented."""
    fingerprints: dict[Fingerprint, None] = {}
    for peer in snapshot.peers:
        fingerprints.update(dict.fromkeys(peer.trusted_ca))
    for endpoint in snapshot.endpoints:
        for chain in endpoint.presented.values():
            fingerprints.update(dict.fromkeys(chain))
    return [snapshot.certificates[fingerprint] for fingerprint in fingerprints]
