"""The check of `remediate doctor` toward the nodes: whether they accept the peers' own certificates (CSCvz45074)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from remediate.cli.check_result import CheckResult
from remediate.inventory.credentials import CachedSource
from remediate.model.errors import RemediateError
from remediate.model.text import count, first_few

if TYPE_CHECKING:
    from remediate.connectors.expressway.cluster import ClusterPeers
    from remediate.model.access import ClusterAccess
    from remediate.model.limits import Limits

_SUBJECT = "nodes"


def check_nodes(cluster: ClusterAccess, limits: Limits, opened: ClusterPeers) -> Iterator[CheckResult]:
    """Yield what the nodes' trust stores say of the certificates of the peers of `opened`, read over their certificate management.

    A refusal is no error here, as doctor asks whether a run is possible; it has its advice.
    """
    from remediate.connectors.collect import collect_nodes
    from remediate.planner import make_plan
    from remediate.report.toward_nodes import describe_toward_nodes

    if cluster.platform is None:
        text = "not checked whether they accept the peers' own certificates: there are no `platform_credentials`"
        yield CheckResult(_SUBJECT, text, next_step="Add `platform_credentials` to the inventory; this check only reads.")
        return
    logins = [login for login in (cluster.platform, cluster.axl) if login]
    if any(isinstance(login.password, CachedSource) and login.password.is_interactive for login in logins):
        yield CheckResult(
            _SUBJECT, "not checked whether they accept the peers' own certificates: a password would have to be typed for it"
        )
        return
    try:
        plan = make_plan(collect_nodes(cluster, limits=limits, opened=opened))
    except RemediateError as error:
        yield CheckResult(_SUBJECT, f"their trust stores could not be read: {error}", error.exit_code, error.next_step)
        return
    refusing = sorted({toward.node for toward in plan.refusing_nodes})
    sentences = describe_toward_nodes(plan)
    if refusing:
        text = f"{count(len(refusing), 'node refuses', 'nodes refuse')} the peers' own certificates: {first_few(refusing)}"
        yield CheckResult(_SUBJECT, text, next_step="\n".join(sentences))
    elif sentences:
        yield CheckResult(
            _SUBJECT, sentences[0], next_step="Check `platform_credentials`, and what the nodes' web ports present."
        )
    elif plan.toward_nodes:
        amount = count(len({toward.node for toward in plan.toward_nodes}), "node accepts", "nodes accept")
        yield CheckResult(_SUBJECT, f"{amount} the peers' own certificates")
