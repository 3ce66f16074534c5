"""Scenarios of certificates that conflict, and of nodes that do not follow the cipher list."""

from __future__ import annotations

from dataclasses import replace

from remediate.lab.scenario import DEFAULT_CIPHERS, RSA_PREFIX, AuthoritySpec, NodeSpec, Removal, Scenario, ServiceSpec
from remediate.lab.scenarios.parts import (
    DOMAIN,
    IMP,
    ISSUING,
    OTHER,
    PUBLISHER,
    ROOT,
    SUBSCRIBERS,
    call_manager,
    ecdsa_twin,
    healthy_nodes,
    self_signed,
    signed,
    tomcat,
)

_HEALTHY_PUBLISHER, *_SUBSCRIBERS_AND_OTHERS = healthy_nodes()
_SUBSCRIBER, *_NODES_AFTER_SUBSCRIBER = _SUBSCRIBERS_AND_OTHERS


def _publisher_with_common_name_conflict(*, with_twin: bool) -> NodeSpec:
    """Return a publisher whose tomcat and CallManager are different self-signed certificates with one CN (CSCwa12905)."""
    twin = (ecdsa_twin(PUBLISHER, by="root"),) if with_twin else ()
    # Their SANs differ, so that they are two certificates: a service with the very same specification reuses the certificate.
    call_manager_rsa = replace(self_signed(PUBLISHER), names=(PUBLISHER, "callmanager.steven.lab"))
    return NodeSpec(
        PUBLISHER,
        "cucm",
        (tomcat(self_signed(PUBLISHER), *twin), call_manager(call_manager_rsa, *twin)),
        role="publisher",
    )


SAME_CN = Scenario(
    name="same-cn",
    summary="Tomcat and CallManager are self-signed under one CN; the ECDSA twins are CA-signed, but the list prefers RSA.",
    authorities=(ROOT, OTHER),
    nodes=(_publisher_with_common_name_conflict(with_twin=True), *_SUBSCRIBERS_AND_OTHERS),
    trusted=(("other", "root"),) * 3,
    ciphers=RSA_PREFIX + DEFAULT_CIPHERS,
)

SAME_CN_STUCK = Scenario(
    name="same-cn-stuck",
    summary="Tomcat and CallManager are self-signed under one CN and there is no other certificate: only one can be trusted.",
    authorities=(ROOT, OTHER),
    nodes=(_publisher_with_common_name_conflict(with_twin=False), *_SUBSCRIBERS_AND_OTHERS),
    trusted=(("other", "root"),) * 3,
)

CHAT = Scenario(
    name="chat",
    summary="IM and Presence is self-signed: its cup-xmpp certificate is trusted, and chat (7400) depends on that; its tomcat "
    "certificate has the same CN, so trusting it instead would take chat down.",
    authorities=(ROOT, OTHER),
    nodes=(
        *(node for node in healthy_nodes() if node.product == "cucm"),
        NodeSpec(
            IMP,
            "imp",
            (tomcat(self_signed(IMP)), ServiceSpec("cup-xmpp", (7400,), (replace(self_signed(IMP), names=(IMP, DOMAIN)),))),
            role="publisher",
        ),
    ),
    trusted=(("other", "root", f"{IMP}/cup-xmpp/rsa"),) * 3,
    removal=Removal.FINGERPRINT,
)

_STALE = AuthoritySpec("stale", ISSUING.common_name, issuer="root", key_of="issuing", expired=True)
_FULL_CHAIN = signed(SUBSCRIBERS[0], by="issuing", sends=("issuing", "root"))

STALE = Scenario(
    name="stale",
    summary="An expired copy of the intermediate in two peers' lists wins over the good one that the node sends; REST can remove it.",
    authorities=(ROOT, ISSUING, _STALE, OTHER),
    nodes=(
        _HEALTHY_PUBLISHER,
        replace(_SUBSCRIBER, services=(tomcat(_FULL_CHAIN), call_manager(_FULL_CHAIN))),
        *_NODES_AFTER_SUBSCRIBER,
    ),
    trusted=(("root", "stale", "other"), ("root", "stale", "other"), ("root", "other")),
    removal=Removal.FINGERPRINT,
)

_SELF_SIGNED_TWIN = NodeSpec(
    PUBLISHER,
    "cucm",
    (tomcat(signed(PUBLISHER)), call_manager(signed(PUBLISHER), ecdsa_twin(PUBLISHER))),
    role="publisher",
)

TLS13 = Scenario(
    name="tls13",
    summary="The publisher speaks TLS 1.3, where the cipher list has no say, and its self-signed ECDSA certificate is preferred.",
    authorities=(ROOT, OTHER),
    nodes=(replace(_SELF_SIGNED_TWIN, tls13=True), *_SUBSCRIBERS_AND_OTHERS),
    trusted=(("other", "root"),) * 3,
    traffic_server_tls13=True,
)

OWN_ORDER = Scenario(
    name="own-order",
    summary="The publisher imposes its own cipher order, ECDSA first and self-signed: no order of the peers' list changes that.",
    authorities=(ROOT, OTHER),
    nodes=(replace(_SELF_SIGNED_TWIN, own_order=True), *_SUBSCRIBERS_AND_OTHERS),
    trusted=(("other", "root"),) * 3,
)
