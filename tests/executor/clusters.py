"""The clusters that the executor's tests work on, and the plans for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from remediate.formats import plan_document, plan_id
from remediate.model.access import ClusterAccess, PeerAccess
from remediate.model.approvals import ApprovedCertificate
from remediate.model.certificate import Certificate
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import Address, CipherList, Fingerprint
from remediate.model.plan import Plan, Policy, RemoveCertificate, TrustCertificate, TrustOnNode
from remediate.model.secret import Login
from remediate.model.snapshot import Endpoint, Preference, Publisher
from remediate.planner import make_plan
from tests.executor.memory import MemoryCluster, PlainSecret
from tests.executor.memory_device import Device
from tests.pki import Entity, issue

CIPHERS = CipherList("EECDH:EDH:HIGH:!MEDIUM:!LOW:!aNULL")

CORPORATE = issue("corporate root", ca=True)
OTHER = issue("another root", ca=True)
CUCM_RSA = issue("cucm.example.test", CORPORATE, names=("cucm.example.test",), family="rsa")
CUCM_EC = issue("cucm-EC.example.test", names=("cucm.example.test",))
IMP = issue("imp.example.test", names=("imp.example.test",), family="rsa")
OLD_IMP = issue("imp.example.test", names=("imp.example.test",), key_name="the old key")


def endpoint(address: str, port: int, rsa: Entity, *, ecdsa: Entity | None = None, product: str = "cucm") -> Endpoint:
    """An endpoint that shows one certificate, or two and follows the client's order."""
    presented = {"rsa": (rsa.certificate.fingerprint,)} | ({"ecdsa": (ecdsa.certificate.fingerprint,)} if ecdsa else {})
    preferred = Preference(client_order=True) if ecdsa else Preference()
    return Endpoint(Address(address), port, product, presented, preferred, tls13=False)  # type: ignore[arg-type]  # literals


def story(peers: int = 3) -> MemoryCluster:
    """The last of several peers lacks the corporate root; 6972 shows a self-signed ECDSA first; IM&P has a self-signed one."""
    entities = (CORPORATE, OTHER, CUCM_RSA, CUCM_EC, IMP)
    devices = [
        Device(
            Address(f"expc{number}.example.test"),
            [OTHER.certificate] + ([CORPORATE.certificate] if number < peers or peers == 1 else []),
            {REVERSE_PROXY_CIPHERS: CIPHERS},
        )
        for number in range(1, peers + 1)
    ]
    return MemoryCluster(
        devices,
        (
            endpoint("cucm.example.test", 6972, CUCM_RSA, ecdsa=CUCM_EC),
            endpoint("cucm.example.test", 8443, CUCM_RSA),
            endpoint("imp.example.test", 8443, IMP, product="imp"),
        ),
        {entity.certificate.fingerprint: entity.certificate for entity in entities},
        publishers=(Publisher(Address("cucm.example.test"), "cucm", "rest"),),
    )


def renewed(peers: int = 3) -> MemoryCluster:
    """The story, and every list holds an older certificate of the IM&P node, whose successor has the same common name."""
    cluster = story(peers)
    for device in cluster.devices:
        device.trusted.insert(0, OLD_IMP.certificate)
    return cluster


def plan_for(cluster: MemoryCluster, **policy: object) -> Plan:
    """The plan of the real planner, everything in it approved."""
    certificates = frozenset(certificate for certificate in cluster.snapshot().certificates)
    chosen = Policy(ciphers="prefer-rsa", approved=certificates)
    return make_plan(cluster.snapshot(), replace(chosen, **policy))  # type: ignore[arg-type]  # the names of Policy's own fields


def approvals_of(*fingerprints: Fingerprint) -> tuple[ApprovedCertificate, ...]:
    """What the command line makes of ``--approve`` for each of these."""
    return tuple(ApprovedCertificate(fingerprint, "2026-11-23T10:00:00Z", "anna", "approve") for fingerprint in fingerprints)


def approvals_in(plan: Plan) -> tuple[ApprovedCertificate, ...]:
    """The approvals that were given when `plan` was made, given again: its own word for them counts for nothing."""
    trusted: Iterable[TrustCertificate | TrustOnNode] = (
        action for action in plan.actions if isinstance(action, TrustCertificate | TrustOnNode)
    )
    return approvals_of(*dict.fromkeys(action.certificate for action in trusted if action.approval == "granted"))


def renumbered(plan: Plan, *, removing: Certificate, by: Literal["rest", "person"]) -> Plan:
    """The same plan with the removal of one more certificate from every peer."""
    action = RemoveCertificate("a9", removing.fingerprint, tuple(plan.base), by, ("imp.example.test:8443",))
    certificates = {**plan.certificates, removing.fingerprint: removing}
    new_plan = replace(plan, actions=(*plan.actions, action), certificates=certificates)
    return replace(new_plan, id=plan_id(plan_document(new_plan)))


def removing_over_rest(plan: Plan) -> Plan:
    """The plan with its removals made over REST, and the id that belongs to it."""
    actions = tuple(replace(action, by="rest") if isinstance(action, RemoveCertificate) else action for action in plan.actions)
    new_plan = replace(plan, actions=actions)
    return replace(new_plan, id=plan_id(plan_document(new_plan)))


def known_as(name: str, *peers: str) -> ClusterAccess:
    """Return a cluster under this name with these peers."""
    return ClusterAccess(name, Login("admin", PlainSecret()), tuple(PeerAccess(Address(peer)) for peer in peers))


def fronted(*waiting: int, peers: int = 3) -> MemoryCluster:
    """The story with a way through each peer; the traffic servers of `waiting` judge by their old list until they restart."""
    cluster = story(peers).run_since_long()
    for number, device in enumerate(cluster.devices, start=1):
        device.front = True
        device.loaded = list(device.trusted) if number in waiting else None
    return cluster


def restarts(cluster: MemoryCluster) -> list[str]:
    """Which peers restarted, in order."""
    return [write.peer[:5] for write in cluster.writes if write.action == "restart"]
