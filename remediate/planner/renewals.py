"""What is about to end: certificates in use that expire soon, and CAs in use that have a successor under their own name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from remediate.model.certificate import Certificate
from remediate.model.snapshot import Peer, Snapshot
from remediate.planner.forecast import Forecaster
from remediate.planner.refusal import TRUSTED_LIST_PAGE, name_of
from remediate.trust.openssl import name_hashes

SOON = timedelta(days=60)
_REPLACE = (
    "The list holds one certificate of a name, so before that day replace the old one on every peer by hand "
    f"({TRUSTED_LIST_PAGE}); nothing is taken out by default."
)


def renewals(snapshot: Snapshot, observed: list[Peer], forecaster: Forecaster) -> Iterator[str]:
    """Return one sentence for each, with the days left, by fingerprint; whoever presents or trusts it, on whichever peer."""
    successors = _Successors(snapshot)
    for one, names in sorted(_users(observed, forecaster).items(), key=lambda item: item[0].fingerprint):
        left = one.not_after - snapshot.taken_at if one.not_after else None
        # A server's own certificate has no successor to look for here: tomcat and CallManager of a node share a subject.
        successor = successors.of(one) if one.is_ca else None
        if left is None or left <= timedelta(0) or (left > SOON and successor is None):
            continue
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield (
            f"{name_of(one)}, used by {names[0]}{others}, expires in {left.days} days"
            + (f"; a successor is at hand ({successor.fingerprint[:19]}…). {_REPLACE}" if successor else ".")
        )


def _users(observed: list[Peer], forecaster: Forecaster) -> dict[Certificate, list[str]]:
    """Every certificate that some endpoint's chain is made of, with the endpoints by name."""
    found: dict[Certificate, dict[str, None]] = {}
    for peer in forecaster.unlike(peer.address for peer in observed):
        for endpoint in forecaster.endpoints.values():
            for one in forecaster.used(peer, endpoint):
                found.setdefault(one, {})[endpoint.name] = None
    return {one: list(names) for one, names in found.items()}


class _Successors:
    """The certificates of a snapshot by subject."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._by_subject: dict[int, list[Certificate]] = {}
        for one in snapshot.certificates.values():
            self._by_subject.setdefault(name_hashes(one).subject, []).append(one)

    def of(self, old: Certificate) -> Certificate | None:
        """Another certificate with the same subject that lasts longer; of several the one with the lowest fingerprint."""
        rivals = self._by_subject.get(name_hashes(old).subject, []) if old.subject else []
        later = [one for one in rivals if one.not_after and old.not_after and one.not_after > old.not_after]
        return min(later, key=lambda one: one.fingerprint, default=None)
