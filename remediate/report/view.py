"""What every view of a plan shows, computed once: the matrix of endpoints and peers, the sums, the words for an action."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from remediate.model.certificate import Certificate
from remediate.model.expressway import PRODUCT_NAMES, REFRESH_BUTTON, SERVERS_PAGES, TRUSTED_CA_PAGE
from remediate.model.identity import Address, Fingerprint
from remediate.model.plan import (
    Action,
    EndpointForecast,
    Plan,
    RefreshDiscovery,
    RemoveCertificate,
    RestartPeer,
    SetCiphers,
    TrustCertificate,
    Unresolved,
)
from remediate.model.snapshot import ALARM
from remediate.model.verdict import Cause, Outcome

GOOD, REFUSED, UNSEEN = "✓", "✗", "?"


@dataclass(frozen=True, slots=True)
class Row:
    """One endpoint: its forecast from each peer of the matrix, None where it was not judged from that peer."""

    endpoint: str
    cells: tuple[EndpointForecast | None, ...]

    @property
    def verifies(self) -> bool:
        """From every peer, before and after."""
        return all(cell is None or (cell.before.verdict.ok and cell.after.verdict.ok) for cell in self.cells)

    @property
    def causes(self) -> tuple[str, ...]:
        """What stands in the way after the plan; where nothing does, what stood there before; each once."""
        judged = [cell for cell in self.cells if cell]
        after = tuple(dict.fromkeys(_cause(cell.after) for cell in judged if not cell.after.verdict.ok))
        return after or tuple(dict.fromkeys(_cause(cell.before) for cell in judged if not cell.before.verdict.ok))


@dataclass(frozen=True, slots=True)
class Matrix:
    """Endpoints by peers."""

    peers: tuple[Address, ...]
    rows: tuple[Row, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The peers' addresses without the domain that they all share."""
        tails = {peer.partition(".")[2] for peer in self.peers}
        heads = tuple(peer.partition(".")[0] for peer in self.peers)
        shared = len(tails) == 1 and not any(head.isdecimal() or ":" in head for head in heads)
        return heads if shared and len(set(heads)) == len(heads) else tuple(self.peers)


@dataclass(frozen=True, slots=True)
class Left:
    """Endpoints that stay refused for one and the same reason."""

    endpoints: tuple[str, ...]
    cause: Cause
    advice: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sums:
    """Pairs of a peer and an endpoint: all, verified before, verified after, not looked at."""

    pairs: int
    before: int
    after: int
    unseen: int


def matrix_of(forecasts: Iterable[EndpointForecast]) -> Matrix:
    """Arrange `forecasts` by endpoint (rows) and peer (columns), both in the order in which they first appear."""
    cells: dict[str, dict[Address, EndpointForecast]] = {}
    peers: dict[Address, None] = {}
    for forecast in forecasts:
        peers.setdefault(forecast.peer)
        cells.setdefault(endpoint_name(forecast.address, forecast.port), {})[forecast.peer] = forecast
    rows = tuple(Row(endpoint, tuple(by_peer.get(peer) for peer in peers)) for endpoint, by_peer in cells.items())
    return Matrix(tuple(peers), rows)


def sums_of(forecasts: Iterable[EndpointForecast]) -> Sums:
    """Count the pairs."""
    listed = tuple(forecasts)
    before = sum(certificate.before.verdict.ok for certificate in listed)
    unseen = sum(symbol_of(certificate.after) == UNSEEN for certificate in listed)
    return Sums(len(listed), before, sum(certificate.after.verdict.ok for certificate in listed), unseen)


def symbol_of(outcome: Outcome) -> str:
    """Return how `outcome` is drawn, also without colour: verifies, refused, or not looked at, which is neither."""
    if not outcome.verdict.observed:
        return UNSEEN
    return GOOD if outcome.verdict.ok else REFUSED


def left_over(unresolved: Iterable[Unresolved]) -> tuple[Left, ...]:
    """Group what stays refused by cause, advice and options, in the order of their first endpoint."""
    groups: dict[tuple[Cause, str, tuple[str, ...]], list[str]] = {}
    for one in unresolved:
        groups.setdefault((one.cause, one.advice, one.options), []).append(endpoint_name(one.address, one.port))
    return tuple(Left(tuple(endpoints), *reason) for reason, endpoints in groups.items())


def endpoint_name(address: str, port: int) -> str:
    """``address:port``, with brackets round an IPv6 address."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def alarms_of(plan: Plan) -> tuple[str, ...]:
    """The notes that come before anything else: vantage points that disagree."""
    return tuple(note for note in plan.notes if note.startswith(ALARM))


def other_notes(plan: Plan) -> tuple[str, ...]:
    """The notes that are good to know, no more."""
    return tuple(note for note in plan.notes if not note.startswith(ALARM))


def incompleteness_of(plan: Plan) -> tuple[str, ...]:
    """What makes an incomplete plan incomplete, one sentence each; empty for a complete one."""
    if plan.complete:
        return ()
    gaps = tuple(gap.message for gap in plan.undiscovered if gap.incomplete)
    unseen = any(symbol_of(forecast.after) == UNSEEN for forecast in plan.endpoints)
    return (*gaps, "A peer or an endpoint could not be looked at.") if unseen or not gaps else gaps


def approvals_required(plan: Plan) -> tuple[TrustCertificate, ...]:
    """The additions that nobody vouches for yet."""
    return tuple(action for action in plan.actions if isinstance(action, TrustCertificate) and action.approval == "required")


def display_name(certificate: Certificate | None) -> str:
    """What a person calls a certificate: its CN, else its subject; never empty. Untrusted text: clean it before showing."""
    if certificate is None:
        return "(certificate not in this file)"
    return certificate.common_name or certificate.subject or "(no name)"


def headline(action: Action, plan: Plan) -> str:
    """Return what `action` does in a few words, without the peers and without a fingerprint."""
    match action:
        case TrustCertificate(certificate=certificate, role=role):
            return f"trust {_named(certificate, plan)} ({role})"
        case SetCiphers(name=name):
            return f"set {name} on the primary"
        case RefreshDiscovery(publisher=publisher, product=product):
            return f"refresh discovery of {PRODUCT_NAMES[product]} {publisher}"
        case RestartPeer():
            return "restart, one peer at a time, only where the new trust is not in effect"
        case RemoveCertificate(certificate=certificate):
            return f"remove {_named(certificate, plan)}, which is stale"


def by_hand(action: Action) -> str | None:
    """Return the page on which a person does `action`; None where remediate does it."""
    match action:
        case RefreshDiscovery(product=product, by="person"):
            return f"{SERVERS_PAGES[product]} > {REFRESH_BUTTON}, on the primary"
        case RemoveCertificate(by="person"):
            return f"{TRUSTED_CA_PAGE}, on each of these peers"
        case _:
            return None


def peers_of(action: Action) -> tuple[Address, ...]:
    """The peers that `action` names; empty where it acts on the cluster as a whole."""
    return action.peers if isinstance(action, TrustCertificate | RestartPeer | RemoveCertificate) else ()


def reasons_of(action: Action) -> tuple[str, ...]:
    """The endpoints for whose sake `action` is there."""
    return action.because if isinstance(action, TrustCertificate | RemoveCertificate) else ()


def _named(fingerprint: Fingerprint, plan: Plan) -> str:
    return display_name(plan.certificates.get(fingerprint))


def _cause(outcome: Outcome) -> str:
    cause = outcome.verdict.cause
    return cause.value if cause else "refused"
