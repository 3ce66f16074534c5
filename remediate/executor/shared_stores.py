"""Trust stores that the nodes of a cluster share: since 11.0, Unified CM makes a deletion on one node on every other node, too.

Source: Cisco document 211300, *Enhancement in Security Certificate Management*. Before 11.0, the certificate came back from the
others.
"""

from __future__ import annotations

from remediate.executor.journal.store import Journal
from remediate.executor.node_ports import NodePorts
from remediate.executor.operations import DeleteFromNode
from remediate.executor.operations.certificates import describe_certificate
from remediate.executor.operations.change import Change
from remediate.model.errors import RemediateError
from remediate.model.plan import TrustOnNode
from remediate.model.text import first_few


class DeletesElsewhere(RemediateError):
    """A deletion could take a certificate from a node that the run did not upload it to."""


def refuse_deletion_elsewhere(journal: Journal, run: str, nodes: NodePorts, inverse: Change) -> None:
    """Refuse to delete a certificate that another node of the plan has, and may have had before the run.

    A node that the plan uploads it to did not have it. Which nodes are of one cluster is not known, so every other one counts. Nor is
    what one had that was not read for the plan, or that accepted the peers without it: it may have taken the upload over.

    Raises:
        DeletesElsewhere: Another node has it.
        ObservationError: Another node cannot be read.
    """
    if not isinstance(inverse, DeleteFromNode):
        return
    plan = journal.plan(run)
    planned = {
        action.node
        for action in plan.actions
        if isinstance(action, TrustOnNode)
        and (action.store, action.certificate) == (inverse.store, inverse.certificate.fingerprint)
    }
    candidates = dict.fromkeys(toward.node for toward in plan.toward_nodes if toward.store == inverse.store)
    holders = [
        address
        for address in candidates
        if address not in {*planned, inverse.peer}
        and inverse.certificate in nodes.get_node(address).trusted(inverse.store, inverse.certificate)
    ]
    if holders:
        raise DeletesElsewhere(
            f"{describe_certificate(inverse.certificate)} is in {inverse.store}-trust of {first_few(holders)}, too, where the run "
            f"did not upload it, and Unified CM deletes it there as well if {inverse.peer} is of the same cluster. If it is not "
            "needed there:"
        )
