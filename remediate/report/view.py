"""Data that every view of a plan shows: the matrix of endpoints and peers, the sums, the words for an action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from remediate.model.canonical import rfc3339
from remediate.model.certificate import Certificate
from remediate.model.expressway import PRODUCT_NAMES, REFRESH_BUTTON, REFRESH_PRICE, SERVERS_PAGES, TRUSTED_CA_PAGE
from remediate.model.identity import Address, Fingerprint, host_and_port
from remediate.model.plan import (
    Action,
    EndpointForecast,
    FutureChange,
    FutureTowardNode,
    Plan,
    RefreshDiscovery,
    RemoveCertificate,
    RestartPeer,
    SetCiphers,
    TrustCertificate,
    TrustOnNode,
    Unresolved,
)
from remediate.model.text import count, first_few, join_words
from remediate.model.toward_nodes import STORE_RESTARTS, ClientCause
from remediate.model.verdict import Cause, Verdict
from remediate.report.check_counts import count_failing
from remediate.report.names import join_peers, name_peers

GOOD, REFUSED, UNSEEN = "✓", "✗", "?"
_APPROVALS = {"vouched": "confirmed", "granted": "approved", "required": "needs your approval"}
_VOUCHERS = {"ca-or-certificate-management": "confirmed by your CA or the server", "approval": "approved by fingerprint"}
NO_CHANGE_AHEAD = "No verdict changes within the horizon."


@dataclass(frozen=True, slots=True)
class Row:
    """One endpoint, with its forecast from each peer of the matrix; None for a peer from which it was not judged."""

    endpoint: str
    cells: tuple[EndpointForecast | None, ...]

    @property
    def verifies(self) -> bool:
        """Whether it verifies from every peer, before and after."""
        return all(cell is None or (cell.before.ok and cell.after.ok) for cell in self.cells)

    @property
    def causes(self) -> tuple[str, ...]:
        """The causes of refusal after the plan, or, if there are none, before it; each once."""
        judged = [cell for cell in self.cells if cell]
        after = tuple(dict.fromkeys(_cause_of(cell.after) for cell in judged if not cell.after.ok))
        return after or tuple(dict.fromkeys(_cause_of(cell.before) for cell in judged if not cell.before.ok))


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
class UnresolvedGroup:
    """Endpoints that remain refused for the same reason."""

    endpoints: tuple[str, ...]
    cause: Cause
    advice: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Numbers of pairs of a peer and an endpoint: all, verified before, verified after, not observed."""

    pairs: int
    before: int
    after: int
    unseen: int


def arrange_matrix(forecasts: Iterable[EndpointForecast]) -> Matrix:
    """Arrange `forecasts` by endpoint (rows) and peer (columns), both in the order in which they first appear."""
    cells: dict[tuple[Address, int], dict[Address, EndpointForecast]] = {}
    peers: dict[Address, None] = {}
    for forecast in forecasts:
        peers.setdefault(forecast.peer)
        cells.setdefault((forecast.address, forecast.port), {})[forecast.peer] = forecast
    rows = tuple(
        Row(host_and_port(address, port), tuple(by_peer.get(peer) for peer in peers))
        for (address, port), by_peer in cells.items()
    )
    return Matrix(tuple(peers), rows)


def count_pairs(forecasts: Iterable[EndpointForecast]) -> PairCounts:
    """Count the pairs of a peer and an endpoint in `forecasts`."""
    pairs = tuple(forecasts)
    before = sum(forecast.before.ok for forecast in pairs)
    unseen = sum(symbol_of(forecast.after) == UNSEEN for forecast in pairs)
    return PairCounts(len(pairs), before, sum(forecast.after.ok for forecast in pairs), unseen)


def symbol_of(verdict: Verdict) -> str:
    """Return the symbol of `verdict`: verifies, refused, or not observed, which is neither."""
    if not verdict.observed:
        return UNSEEN
    return GOOD if verdict.ok else REFUSED


def group_unresolved(unresolved: Iterable[Unresolved]) -> tuple[UnresolvedGroup, ...]:
    """Group what remains refused by cause, advice and options, in the order of their first endpoint."""
    groups: dict[tuple[Cause, str, tuple[str, ...]], list[str]] = {}
    for endpoint in unresolved:
        groups.setdefault((endpoint.cause, endpoint.advice, endpoint.options), []).append(str(endpoint.endpoint))
    return tuple(UnresolvedGroup(tuple(endpoints), *reason) for reason, endpoints in groups.items())


def distinct(words: Iterable[str]) -> list[str]:
    """Return each of `words` once, in order."""
    return list(dict.fromkeys(words))


def describe_future(plan: Plan) -> tuple[str, ...]:
    """Return what changes by the calendar after the plan, one sentence for each moment, peer and cause, in order of time."""
    return describe_changes(plan.future or (), plan.certificates)


def describe_changes(changes: Iterable[FutureChange], certificates: Mapping[Fingerprint, Certificate]) -> tuple[str, ...]:
    """Return `changes` in words, one sentence for each moment, who judges and cause, in order of time."""
    judged: dict[tuple[datetime, str, bool, Cause | ClientCause | None, tuple[Fingerprint, ...]], list[str]] = {}
    for change in changes:
        judge, name = _judge_and_judged(change)
        judged.setdefault((change.at, judge, change.ok, change.cause, change.because), []).append(name)
    sentences = []
    for (at, peer, ok, cause, because), names in judged.items():
        causes = [f"{_turn_of(certificates.get(fingerprint), at)}" for fingerprint in because]
        verb = "accepts" if ok else f"refuses ({cause.value if cause else 'refused'})"
        sentences.append(f"{rfc3339(at)}: {peer} {verb} {first_few(names)}: {first_few(causes)}.")
    return tuple(sentences)


def _judge_and_judged(change: FutureChange) -> tuple[str, str]:
    if isinstance(change, FutureTowardNode):
        return f"{change.store}-trust of {change.node}", f"the certificate of {change.peer}"
    return change.peer, str(change.endpoint)


def _turn_of(certificate: Certificate | None, at: datetime) -> str:
    ends = certificate is None or certificate.not_after == at
    return f"{certificate_name(certificate)} {'ends' if ends else 'begins'}"


def incompleteness_of(plan: Plan) -> tuple[str, ...]:
    """Return what makes a plan incomplete, one sentence each; empty for a complete plan."""
    if plan.complete:
        return ()
    gaps = tuple(gap.message for gap in plan.undiscovered if gap.incomplete)
    unread = tuple(dict.fromkeys(forecast.peer for forecast in plan.endpoints if forecast.peer not in plan.base))
    unseen = {
        str(forecast.endpoint): None
        for forecast in plan.endpoints
        if forecast.peer in plan.base and symbol_of(forecast.after) == UNSEEN
    }
    reasons = [f"Peers that could not be read: {join_words(unread)}."] if unread else []
    reasons += [f"Endpoints that could not be checked: {first_few(tuple(unseen), 1)}."] if unseen else []
    return (*gaps, *reasons) or ("A peer or an endpoint could not be checked.",)


def summarise_verdicts(plan: Plan) -> tuple[str, ...]:
    """Summarise a plan in a few sentences: what fails, what it fixes, what is left to a person."""
    sums = count_pairs(plan.endpoints)
    if not sums.pairs:
        return ("No endpoint is known here, so nothing was checked.",)
    failing = sums.pairs - sums.before - sums.unseen
    peers = {forecast.peer for forecast in plan.endpoints}
    broken = {forecast.peer for forecast in plan.endpoints if forecast.before.observed and not forecast.before.ok}
    if sums.unseen == sums.pairs:
        sentences = ["No check could be made."]
    elif not failing and plan.refusing_nodes:
        sentences = ["Every check of the nodes' certificates that could be made passes."]
    elif not failing:
        sentences = ["Every check that could be made passes." if sums.unseen else "Every check passes."]
    else:
        where = f"all {len(peers)} peers" if len(broken) == len(peers) > 1 else f"{len(broken)} of {count(len(peers), 'peer')}"
        sentences = [f"{count_failing(failing, sums.pairs)}, on {where}. {_describe_fixed(sums.after - sums.before, failing)}"]
    if 0 < sums.unseen < sums.pairs:
        sentences.append(f"{count(sums.unseen, 'check')} could not be made.")
    if required := len({action.certificate for action in approvals_required(plan)}):
        sentences.append(f"{count(required, 'certificate needs', 'certificates need')} your approval.")
    sentences += _summarise_refusals(plan)
    if plan.unresolved:
        sentences.append(f"{count(len(plan.unresolved), 'endpoint needs', 'endpoints need')} other work.")
    return tuple(sentences)


def _describe_fixed(fixed: int, failing: int) -> str:
    if failing == 1:
        return "This plan fixes it." if fixed else "This plan does not fix it."
    return f"This plan fixes {fixed} of them." if fixed else "This plan fixes none of them."


def _summarise_refusals(plan: Plan) -> list[str]:
    """Return how many nodes refuse the peers' own certificates, now and after the plan; empty where none does."""
    nodes = len({toward.node for toward in plan.refusing_nodes})
    if not nodes:
        return []
    remaining = len({toward.node for toward in plan.refusing_nodes_after})
    after = f", and {remaining} after it" if remaining != nodes else ""
    return [f"{count(nodes, 'node refuses', 'nodes refuse')} the peers' own certificates{after}."]


def group_actions(actions: Sequence[Action]) -> tuple[tuple[Action, ...], ...]:
    """Return the actions in order, those that do the same with other certificates together."""
    groups: dict[tuple[object, ...], list[Action]] = {}
    for action in actions:
        match action:
            case TrustCertificate(role=role, approval=approval, peers=peers):
                alike: tuple[object, ...] = (role, approval, peers)
            case TrustOnNode(certificate=certificate, approval=approval):
                alike = (certificate, approval)
            case _:
                alike = (action.id,)
        groups.setdefault((action.kind, *alike), []).append(action)
    return tuple(tuple(group) for group in groups.values())


def describe_cipher_change(action: SetCiphers) -> str:
    """Return how a cipher list changes, in a few words: what comes in front of it or goes, where that is all."""
    if action.after.endswith(action.before):
        return f"+ {action.after.removesuffix(action.before)} in front, the rest unchanged"
    if action.before.endswith(action.after):
        return f"- {action.before.removesuffix(action.after)} in front, the rest unchanged"
    return f"from {action.before} to {action.after}"


def approvals_required(plan: Plan) -> tuple[TrustCertificate | TrustOnNode, ...]:
    """Return the additions that need an approval."""
    return tuple(
        action
        for action in plan.actions
        if isinstance(action, TrustCertificate | TrustOnNode) and action.approval == "required"
    )


def list_vouchers(fingerprint: Fingerprint, plan: Plan) -> tuple[str, ...]:
    """Return who vouches for a certificate by the facts of `plan`, a part of a sentence each; empty: nobody, or it is not known."""
    vouchers = plan.facts[fingerprint].vouched_by if fingerprint in plan.facts else ()
    trusting = [voucher.removeprefix("peer:") for voucher in vouchers if voucher.startswith("peer:")]
    spoken = [words for voucher, words in _VOUCHERS.items() if voucher in vouchers]
    if trusting:
        has_room = len(trusting) < 3 or len(trusting) == len(plan.base)
        peers = (
            join_peers(trusting, name_peers(plan.base, plan.system_names), len(plan.base))
            if has_room
            else f"{len(trusting)} of {len(plan.base)} peers"
        )
        spoken.insert(0, f"trusted by {peers}")
    return tuple(spoken)


def describe_approval(action: TrustCertificate | TrustOnNode, plan: Plan) -> str:
    """Return who confirms the certificate of `action`, or that a person has to."""
    vouchers = list_vouchers(action.certificate, plan) if action.approval != "required" else ()
    return next(iter(vouchers), _APPROVALS[action.approval])


def certificate_name(certificate: Certificate | None) -> str:
    """Return the name of a certificate for a person: its CN, else its subject; never empty. Untrusted text: escape it."""
    if certificate is None:
        return "(certificate not in this file)"
    return certificate.common_name or certificate.subject or "(no name)"


def headline(action: Action, plan: Plan) -> str:
    """Return what `action` does in a few words, without peers and fingerprint."""
    match action:
        case TrustCertificate(certificate=certificate, role=role):
            return f"trust {_name_of(certificate, plan)} ({role})"
        case SetCiphers(name=name):
            return f"set {name} on the primary"
        case RefreshDiscovery(publisher=publisher, product=product):
            return f"refresh discovery of {PRODUCT_NAMES[product]} {publisher}"
        case RestartPeer():
            return "restart, one peer at a time, only where the new trust is not in effect"
        case RemoveCertificate(certificate=certificate):
            return f"remove {_name_of(certificate, plan)}, which is stale"
        case TrustOnNode(certificate=certificate, node=node, store=store):
            return f"upload {_name_of(certificate, plan)} as {store}-trust of {node}"


def summarise_actions(plan: Plan) -> str:
    """Return what `plan` does in counts: ``2 certificates to trust on 3 peers, 1 cipher list to set``."""
    parts = _summarise_list_changes(plan)
    if ciphers := sum(isinstance(action, SetCiphers) for action in plan.actions):
        parts.append(f"{count(ciphers, 'cipher list')} to set")
    uploads = [action for action in plan.actions if isinstance(action, TrustOnNode)]
    if uploads:
        certificates, nodes = len({action.certificate for action in uploads}), len({action.node for action in uploads})
        parts.append(f"{count(certificates, 'certificate')} to upload to {count(nodes, 'Unified CM or IM and Presence node')}")
    if refreshes := sum(isinstance(action, RefreshDiscovery) for action in plan.actions):
        parts.append(f"discovery of {count(refreshes, 'publisher')} to refresh")
    if restarts := {peer for action in plan.actions if isinstance(action, RestartPeer) for peer in action.peers}:
        parts.append(f"{count(len(restarts), 'peer')} to restart if needed")
    return ", ".join(parts)


def _summarise_list_changes(plan: Plan) -> list[str]:
    """Return in one part how many certificates `plan` adds and removes on how many peers; empty: none."""
    actions = [action for action in plan.actions if isinstance(action, TrustCertificate | RemoveCertificate)]
    trusted = {action.certificate for action in actions if isinstance(action, TrustCertificate)}
    removed = {action.certificate for action in actions if isinstance(action, RemoveCertificate)}
    peers = {peer for action in actions for peer in action.peers}
    changes = [f"{count(len(trusted), 'certificate')} to trust"] if trusted else []
    changes += [f"{count(len(removed), 'certificate')} to remove"] if removed else []
    return [f"{' and '.join(changes)} on {count(len(peers), 'peer')}"] if changes else []


def refresh_notes(action: Action) -> tuple[str, ...]:
    """Return what a person has to know of a refresh of discovery; empty for another action."""
    if not isinstance(action, RefreshDiscovery):
        return ()
    return (REFRESH_PRICE, *([action.warning] if action.warning else []))


def restarts_after_uploads(plan: Plan) -> tuple[str, ...]:
    """Return which services have to restart before what `plan` uploads to nodes counts, a sentence for each store; empty for none."""
    nodes: dict[str, list[str]] = {}
    for action in plan.actions:
        if isinstance(action, TrustOnNode):
            nodes.setdefault(action.store, []).append(action.node)
    return tuple(
        f"What is uploaded as {store}-trust of {first_few(distinct(names))} takes effect after a restart, which remediate "
        f"leaves to you: {STORE_RESTARTS[store].instruction}."
        for store, names in nodes.items()
        if store in STORE_RESTARTS
    )


def last_resort(plan: Plan) -> str:
    """Return the command of the workaround where every peer was seen to offer it; else that nothing was seen to count on."""
    if plan.offers_workaround:
        return (
            "Last resort: `remediate workaround on -i INVENTORY` turns verification off everywhere; X14.2.7 is the last "
            "version to document it."
        )
    return (
        "Not every peer was seen to offer the workaround; `remediate workaround status -i INVENTORY` shows whether this "
        "last resort exists."
    )


def manual_page(action: Action) -> str | None:
    """Return the page on which a person carries out `action`; None if remediate does it."""
    match action:
        case RefreshDiscovery(product=product, by="person"):
            return f"{SERVERS_PAGES[product]} > {REFRESH_BUTTON}, on the primary"
        case RemoveCertificate(by="person"):
            return f"{TRUSTED_CA_PAGE}, on each of these peers"
        case _:
            return None


def peers_of(action: Action) -> tuple[Address, ...]:
    """Return the peers that `action` names; empty if it acts on the whole cluster."""
    return action.peers if isinstance(action, TrustCertificate | RestartPeer | RemoveCertificate) else ()


def reasons_of(action: Action) -> tuple[str, ...]:
    """Return the endpoints that need `action`."""
    return action.because if isinstance(action, TrustCertificate | RemoveCertificate | TrustOnNode) else ()


def _name_of(fingerprint: Fingerprint, plan: Plan) -> str:
    return certificate_name(plan.certificates.get(fingerprint))


def _cause_of(verdict: Verdict) -> str:
    return verdict.cause.value if verdict.cause else "refused"
