"""Uploads of a plan to the trust stores of nodes (`trust-on-node`): the approval, the check before them, and the writes.

They come after every list and cipher list of the peers, each with steps 5, 6 and 7. No service of a node is ever restarted here: what
has to restart before an upload counts is reported at the end, with its price.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from remediate.executor.context import RunContext, RunState
from remediate.executor.operations import UploadToNode
from remediate.executor.operations.certificates import describe_certificate
from remediate.executor.result import ApplyOptions, ManualStep
from remediate.executor.writer import ChangeOutcome, Writer
from remediate.model.access import ClusterAccess
from remediate.model.certificate import Certificate
from remediate.model.errors import Declined, IncompletePlan, InventoryError, StalePlan
from remediate.model.identity import Address
from remediate.model.plan import Plan, TrustOnNode
from remediate.model.run import StepRecord
from remediate.model.snapshot import Snapshot
from remediate.model.text import count
from remediate.model.toward_nodes import STORE_RESTARTS, STORES, Node
from remediate.trust.client_verifier import complete_chain, verify_client
from remediate.trust.node_verifier import read_client_chain, read_store


def list_planned_uploads(plan: Plan) -> tuple[TrustOnNode, ...]:
    """Return what `plan` uploads to nodes, in its order."""
    return tuple(action for action in plan.actions if isinstance(action, TrustOnNode))


def refuse_without_consent(plan: Plan, cluster: ClusterAccess, options: ApplyOptions) -> None:
    """Refuse a plan that writes to nodes where that was not asked for again, or without the account for it.

    Raises:
        Declined: ``--cucm-trust`` was not given.
        InventoryError: The inventory has no `platform_credentials`.
    """
    uploads = list_planned_uploads(plan)
    if not uploads:
        return
    nodes = count(len({action.node for action in uploads}), "Unified CM or IM and Presence node")
    if not options.cucm_trust:
        raise Declined(
            f"The plan uploads {count(len({action.certificate for action in uploads}), 'certificate')} to {nodes}, but "
            "--cucm-trust was not given.",
            next_step="Nothing was changed. Pass --cucm-trust to `remediate apply` too, or plan again without it.",
        )
    if cluster.platform is None:
        raise InventoryError(
            (
                f"{cluster.source}: the plan uploads certificates to {nodes}, but `unified_communications` has no "
                "`platform_credentials`."
            ),
            next_step="Nothing was changed. Give the account of the nodes' operating system there.",
        )


def refuse_if_stale(plan: Plan, now: Snapshot, *, is_resumed: bool) -> None:
    """Compare what `plan` uploads with what the nodes' stores and the peers' own certificates are now (step 3).

    `is_resumed`: this run made some of the uploads before, so that a store may accept the peers already.

    Raises:
        IncompletePlan: A store, or a peer's own certificate, could not be read.
        StalePlan: A node is gone, an upload does not help any more, or is not needed any more.
    """
    nodes = {node.address: node for node in now.nodes if STORES[node.product]}
    for address, store in dict.fromkeys((action.node, action.store) for action in list_planned_uploads(plan)):
        node = nodes.get(address)
        if node is None or store not in STORES[node.product]:
            raise StalePlan(
                f"The plan for {plan.cluster} is stale: {address} with a {store}-trust is no longer a node of this cluster."
            )
        _check_store(plan, now, node, store, is_resumed=is_resumed)


def _check_store(plan: Plan, now: Snapshot, node: Node, store: str, *, is_resumed: bool) -> None:
    """Check that one store still lacks what `plan` uploads to it, and accepts the peers after that. Raises as `refuse_if_stale`."""
    trusted = read_store(now, node, store)
    if trusted is None:
        reason = node.error or "certificate management does not show it"
        raise IncompletePlan(f"{store}-trust of {node.address} cannot be read now: {reason.rstrip('.')}.")
    actions = [action for action in list_planned_uploads(plan) if (action.node, action.store) == (node.address, store)]
    missing = [action for action in actions if plan.certificates[action.certificate] not in trusted]
    after = (*trusted, *(plan.certificates[action.certificate] for action in missing))
    needs = [(plan.certificates[action.certificate], address) for action in missing for address in action.because]
    for certificate, address in needs:
        chain = _read_chain(plan, now, address)
        if certificate not in complete_chain(chain, plan.certificates.values()):
            raise StalePlan(
                f"The plan for {plan.cluster} is stale: the certificate of {address} no longer needs "
                f"{describe_certificate(certificate)}."
            )
        if not verify_client(chain, after, now.taken_at).ok:
            raise StalePlan(
                f"The plan for {plan.cluster} is stale: {store}-trust of {node.address} would still refuse the "
                f"certificate of {address} after it."
            )
        if not is_resumed and verify_client(chain, trusted, now.taken_at).ok:
            raise StalePlan(
                f"The plan for {plan.cluster} is stale: {store}-trust of {node.address} already accepts the certificate "
                f"of {address}."
            )


def _read_chain(plan: Plan, now: Snapshot, address: Address) -> tuple[Certificate, ...]:
    """Return the certificate that a peer of the plan shows to nodes, with its chain. Raises as `refuse_if_stale`."""
    peer = next((peer for peer in now.peers if peer.address == address), None)
    if peer is None:
        raise StalePlan(f"The plan for {plan.cluster} is stale: {address} is no longer a peer of this cluster.")
    chain = read_client_chain(now, peer)
    if chain is None:
        raise IncompletePlan(
            f"The certificate of {address} could not be read, so it cannot be checked what it needs on the nodes."
        )
    return chain


def is_any_upload_to_do(plan: Plan, now: Snapshot) -> bool:
    """Return whether a store lacks what `plan` uploads to it."""
    nodes = {node.address: node for node in now.nodes}
    return any(
        action.node not in nodes or action.certificate not in nodes[action.node].trust.get(action.store, ())
        for action in list_planned_uploads(plan)
    )


def upload_to_nodes(context: RunContext, state: RunState, writer: Writer) -> None:
    """Upload what the plan names, node by node; what a node does not offer is left to a person."""
    for action in list_planned_uploads(context.plan):
        change = UploadToNode(action.node, action.store, context.plan.certificates[action.certificate])
        if writer.carry_out(context.nodes.get_node(action.node), change) is ChangeOutcome.MANUAL:
            state.add_open_step(context.events, ManualStep(change.manual_instruction, action.node))


def remind_of_services(context: RunContext, state: RunState) -> str:
    """Leave to a person each service that has to restart before what this run uploaded counts; return a sentence; empty: none."""
    records = [
        record
        for record in (context.journal.steps(state.run) if state.run else ())
        if record.kind == UploadToNode.kind and not record.is_closed
    ]
    stores = list_changed_stores(context.plan, records)
    for text in describe_restarts(stores, "already has what the peers need"):
        state.add_effect_step(context.events, ManualStep(text))
    if not stores:
        return ""
    nodes = count(len({node for nodes in stores.values() for node in nodes}), "node")
    return f"Uploads to {nodes} take effect there only after services restart."


def list_changed_stores(plan: Plan, records: Iterable[StepRecord]) -> dict[str, list[Address]]:
    """Return the nodes of each store that the steps of `records` changed, in their order.

    Unified CM takes an upload and a deletion over to the other nodes of its cluster: those that `plan` names for the same certificate
    are among them, though no step was needed there.
    """
    stores: dict[str, dict[Address, None]] = {}
    for record in records:
        store, certificate = record.facts["store"], record.facts["certificate"]
        stores.setdefault(store, {})[record.peer] = None
        for action in list_planned_uploads(plan):
            if (action.store, action.certificate) == (store, certificate):
                stores[store][action.node] = None
    return {store: list(nodes) for store, nodes in stores.items()}


def describe_restarts(stores: Mapping[str, Sequence[Address]], change: str) -> list[str]:
    """Return a sentence for each store that changed on some nodes: what `change` did to it, and what has to restart."""
    return [
        f"{store}-trust of {', '.join(nodes)} {change}; it takes effect after a restart: {STORE_RESTARTS[store].instruction}."
        for store, nodes in stores.items()
    ]
