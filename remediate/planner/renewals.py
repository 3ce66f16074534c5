"""What is about to end: certificates in use that expire soon, and CAs in use that have a successor under their own name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from remediate.model.certificate import Certificate
from remediate.model.expressway import TRUSTED_CA_PAGE
from remediate.model.identity import Address
from remediate.model.snapshot import Endpoint, Peer, Snapshot
from remediate.model.text import first_few
from remediate.planner.advice.refusal import name_of
from remediate.planner.forecast import Forecaster
from remediate.trust.chain_verifier import Chain
from remediate.trust.openssl import name_hashes

SOON = timedelta(days=60)
_REPLACE = (
    "The list holds one certificate of a name, so before that day replace the old one on every peer by hand "
    f"({TRUSTED_CA_PAGE}); nothing is taken out by default."
)


def renewals(snapshot: Snapshot, observed: list[Peer], forecaster: Forecaster) -> Iterator[str]:
    """Return one sentence for each, with the days left, by fingerprint; whoever presents or trusts it, on whichever peer."""
    by_subject = _by_subject(snapshot)
    for certificate, uses in sorted(_uses(observed, forecaster).items(), key=lambda item: item[0].fingerprint):
        left = certificate.not_after - snapshot.taken_at if certificate.not_after else None
        if left is None or left <= timedelta(0):
            continue
        # A server's own certificate has no successor to look for here: tomcat and CallManager of a node share a subject.
        later = _later(certificate, by_subject) if certificate.is_ca else []
        successor = next((namesake for namesake in later if _takes_the_place(namesake, certificate, uses, forecaster)), None)
        if left > SOON and successor is None:
            continue
        yield _sentence(certificate, uses, left, successor, later)


def _sentence(
    certificate: Certificate, uses: list[_Use], left: timedelta, successor: Certificate | None, later: list[Certificate]
) -> str:
    names = list(dict.fromkeys(use.endpoint.name for use in uses))
    expires = f"{name_of(certificate)}, used by {first_few(names, 1)}, expires in {left.days} days"
    if successor:
        return f"{expires}; a successor is at hand ({successor.fingerprint[:19]}…). {_REPLACE}"
    if later and _listed(uses, certificate):
        return (
            f"{expires}. {name_of(later[0])} has its name and another key: what uses the old one has to be signed again before the "
            "list can hold the new one in its place."
        )
    return f"{expires}."


@dataclass(frozen=True, slots=True)
class _Use:
    """An endpoint whose chain at one peer holds a certificate; `trusted` is that peer's list then."""

    peer: Address
    endpoint: Endpoint
    trusted: Chain


def _uses(observed: list[Peer], forecaster: Forecaster) -> dict[Certificate, list[_Use]]:
    """Every certificate that some endpoint's chain is made of, with where."""
    found: dict[Certificate, list[_Use]] = {}
    for peer in forecaster.distinct_peers(peer.address for peer in observed):
        for endpoint in forecaster.endpoints.values():
            for certificate in forecaster.used(peer, endpoint):
                found.setdefault(certificate, []).append(_Use(peer, endpoint, forecaster.after[peer]))
    return found


def _by_subject(snapshot: Snapshot) -> dict[int, list[Certificate]]:
    found: dict[int, list[Certificate]] = {}
    for certificate in snapshot.certificates.values():
        found.setdefault(name_hashes(certificate).subject, []).append(certificate)
    return found


def _later(old: Certificate, by_subject: dict[int, list[Certificate]]) -> list[Certificate]:
    """The certificates with the subject of `old` that last longer, by fingerprint."""
    namesakes = by_subject.get(name_hashes(old).subject, []) if old.subject else []
    later = [new for new in namesakes if new.not_after and old.not_after and new.not_after > old.not_after]
    return sorted(later, key=lambda namesake: namesake.fingerprint)


def _takes_the_place(new: Certificate, old: Certificate, uses: list[_Use], forecaster: Forecaster) -> bool:
    """Whether everything that verifies with `old` in a peer's list verifies with `new` in its place.

    Not so where a CA was renewed with another key: the name is the same, and what the old key signed is refused.
    """
    resting = [use for use in _listed(uses, old) if forecaster.outcome(use.peer, use.endpoint).verdict.ok]
    return bool(resting) and all(
        forecaster.outcome_with(_with(new, old, use.trusted), use.peer, use.endpoint).verdict.ok for use in resting
    )


def _listed(uses: list[_Use], certificate: Certificate) -> list[_Use]:
    return [use for use in uses if certificate in use.trusted]


def _with(new: Certificate, old: Certificate, trusted: Chain) -> Chain:
    return tuple(new if certificate == old else certificate for certificate in trusted if certificate != new)
