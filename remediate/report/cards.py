"""Cards for a change board: approvals, interruption, undo, the next expiry. The same in every view."""

from __future__ import annotations

from dataclasses import dataclass

from remediate.model.canonical import parse_rfc3339, rfc3339
from remediate.model.expressway import TRUSTED_CA_PAGE
from remediate.model.plan import Plan, RefreshDiscovery, RemoveCertificate, RestartPeer, TrustCertificate, TrustOnNode
from remediate.model.text import count
from remediate.report.names import ShortNames
from remediate.report.view import approvals_required, certificate_name

UNDO_COMMAND = "remediate rollback last -i INVENTORY"


@dataclass(frozen=True, slots=True)
class Card:
    """One answer.

    Attributes:
        topic: What it is about, in one word or two.
        title: The answer.
        detail: What is behind it.
        urgent: A person has to act on it, or to decide.
    """

    topic: str
    title: str
    detail: str
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Expiry:
    """The first end of a certificate that an endpoint relies on after the plan.

    Attributes:
        at: RFC 3339 UTC.
        name: The certificate of a CA, or the endpoint whose own certificate it is. Untrusted text.
        endpoints: How many endpoints rely on it.
        days: Whole days from the moment of the plan.
    """

    at: str
    name: str
    endpoints: int
    days: int


@dataclass(frozen=True, slots=True)
class UndoCost:
    """The cost of undoing a plan.

    Attributes:
        changes: The changes of the trusted CA lists, one for each certificate and peer.
        by_hand: Those of them that a person takes back on a web page; None: not known.
    """

    changes: int
    by_hand: int | None


def list_cards(plan: Plan, names: ShortNames | None = None) -> tuple[Card, ...]:
    """Return the four answers of `plan`; `names` are those of endpoints where a view shortens them."""
    expiry = _make_expiry_card(plan, names or ShortNames({}))
    return (_make_approval_card(plan), _make_interruption_card(plan), _make_undo_card(plan), expiry)


def find_next_expiry(plan: Plan) -> Expiry | None:
    """Return the first end of a certificate in the chains of `plan` after it was made; None: no chain is known."""
    made_at = rfc3339(plan.made_at)
    endings: dict[tuple[str, str], int] = {}
    for chain in plan.chains:
        if chain.ends and chain.ends_at:
            endings[chain.ends, chain.ends_at] = 1
        # At depth 0 the only certificate is the endpoint's own, named above.
        for fingerprint in chain.certificates if chain.depth else ():
            certificate = plan.certificates[fingerprint]
            if certificate.not_after:
                key = (rfc3339(certificate.not_after), certificate_name(certificate))
                endings[key] = endings.get(key, 0) + len(chain.endpoints)
    first = min((ending for ending in endings if ending[0] > made_at), default=None)
    if first is None:
        return None
    at, name = first
    return Expiry(at, name, endings[first], (parse_rfc3339(at) - parse_rfc3339(made_at)).days)


def count_undo(plan: Plan) -> UndoCost:
    """Return the cost of undoing `plan`."""
    changes = by_hand = 0
    is_known = True
    for action in plan.actions:
        for peer in action.peers if isinstance(action, TrustCertificate) else ():
            removal = plan.base[peer].removal if peer in plan.base else None
            changes += 1
            by_hand += removal == "person"
            is_known = is_known and removal is not None
    return UndoCost(changes, by_hand if is_known else None)


def _make_approval_card(plan: Plan) -> Card:
    required = {action.certificate for action in approvals_required(plan)}
    if required:
        title = f"{count(len(required), 'certificate')} to approve"
        return Card("Approvals", title, "Only seen on the network. No trusted source confirms them.", urgent=True)
    if any(isinstance(action, TrustCertificate | TrustOnNode) for action in plan.actions):
        return Card(
            "Approvals", "No approval needed", "Every certificate to add is confirmed by a trusted source or by an approval."
        )
    return Card("Approvals", "No approval needed", "No certificate is added.")


def _make_interruption_card(plan: Plan) -> Card:
    restarts = {peer for action in plan.actions if isinstance(action, RestartPeer) for peer in action.peers}
    refreshes = any(isinstance(action, RefreshDiscovery) for action in plan.actions)
    restart = (
        f"Up to {count(len(restarts), 'peer restarts', 'peers restart')}, one at a time, only where the change is not in effect."
        if restarts
        else "No peer restarts."
    )
    if refreshes:
        return Card(
            "Interruption", "Sign-in pauses for 5 to 45 seconds", f"That is over MRA, while discovery is refreshed. {restart}"
        )
    if restarts:
        return Card("Interruption", "Restarts only if needed", restart)
    return Card("Interruption", "No interruption", restart)


def _make_undo_card(plan: Plan) -> Card:
    cost = count_undo(plan)
    if not plan.changes:
        return Card("Undo", "Nothing to undo", "This plan changes nothing.")
    removals = sum(len(action.peers) for action in plan.actions if isinstance(action, RemoveCertificate))
    added_again = f" {count(removals, 'certificate is', 'certificates are')} added again." if removals else ""
    if cost.by_hand is None:
        title = f"{count(cost.changes, 'deletion')}, some possibly by hand"
        return Card(
            "Undo", title, f"This plan does not show whether the peers offer removal; `remediate doctor` does.{added_again}"
        )
    if cost.by_hand:
        detail = f"These peers do not offer removal over REST: {TRUSTED_CA_PAGE}.{added_again}"
        return Card("Undo", f"{count(cost.by_hand, 'deletion')} by hand", detail, urgent=True)
    return Card("Undo", "One command", f"`{UNDO_COMMAND}`{added_again}")


def _make_expiry_card(plan: Plan, names: ShortNames) -> Card:
    expiry = find_next_expiry(plan)
    if expiry is None:
        return Card("Next expiry", "Not known", "This plan has no chain of an endpoint.")
    days = count(expiry.days, "day")
    detail = f"{names[expiry.name]}, used by {count(expiry.endpoints, 'endpoint')}, in {days}"
    return Card("Next expiry", expiry.at[:10], detail, urgent=expiry.days <= 60)
