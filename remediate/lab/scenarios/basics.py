"""Basic scenarios: nothing to do, everything self-signed, one node down."""

from __future__ import annotations

from dataclasses import replace

from remediate.lab.platform_shell import Layout
from remediate.lab.scenario import NodeSpec, PageStyle, Removal, Scenario
from remediate.lab.scenarios.parts import (
    IMP,
    OTHER,
    PEERS,
    PUBLISHER,
    ROOT,
    SUBSCRIBERS,
    UNITY,
    call_manager,
    healthy_nodes,
    self_signed,
    tomcat,
)

HEALTHY = Scenario(
    name="healthy",
    summary="Every endpoint verifies on every peer: nothing to do.",
    authorities=(ROOT, OTHER),
    nodes=healthy_nodes(),
    trusted=(("other", "root"),) * 3,
)

REST_ACCOUNT = replace(
    HEALTHY,
    name="rest-account",
    summary="REST takes another account than the shell; the last peer lacks the root.",
    trusted=(("other", "root"), ("other", "root"), ("other",)),
    rest_account=True,
)

REFUSES_PEERS = replace(
    HEALTHY,
    name="refuses-peers",
    summary="Every node passes, and none trusts the CA of the peers' own certificates: from X14.0.2 on 6971 and 6972 refuse them.",
    trusted=(("other", "root", PEERS),) * 3,
    platform_credentials=True,
    nodes_trust_peers=False,
)

_LAYOUTS: tuple[Layout, ...] = ("fields-and-pem", "bouncy-castle", "fields", "fields-and-pem", "fields-and-pem")

PLATFORM_SHELL = replace(
    REFUSES_PEERS,
    name="platform-shell",
    summary="Unified CM 12.5: nobody trusts the CA of the peers' own certificates, and certificates are read and uploaded over the "
    "platform shell alone, which prints them in three ways.",
    nodes=tuple(
        replace(node, has_certificate_management=False, layout=layout)
        for node, layout in zip(healthy_nodes(), _LAYOUTS, strict=True)
    ),
)

SERVER_ONLY = replace(
    HEALTHY,
    name="server-only",
    summary="Every node passes and trusts the CA of the peers, whose own certificates lack Client Authentication: 6971 and 6972 "
    "refuse them.",
    trusted=(("other", "root", PEERS),) * 3,
    platform_credentials=True,
    peer_usage="server-only",
)

CROWDED = replace(
    HEALTHY,
    name="crowded",
    summary="Each list has grown over years: 300 other CAs and a CRL; the last peer lacks the root. REST describes itself in flow "
    "style, and removes by a fingerprint with colons.",
    trusted=(("other", "root"), ("other", "root"), ("other",)),
    bystanders=300,
    crls=1,
    page_style=PageStyle.FLOW,
    removal=Removal.SHA256_COLONS,
)

SELF_SIGNED = Scenario(
    name="selfsigned",
    summary="Every node shows one self-signed RSA certificate, the same on all its ports; nobody vouches for any.",
    authorities=(OTHER,),
    nodes=(
        *(
            NodeSpec(
                name,
                "cucm",
                (tomcat(self_signed(name)), call_manager(self_signed(name))),
                role="publisher" if name == PUBLISHER else "subscriber",
            )
            for name in (PUBLISHER, *SUBSCRIBERS)
        ),
        NodeSpec(IMP, "imp", (tomcat(self_signed(IMP)),), role="publisher"),
        NodeSpec(UNITY, "unity", (tomcat(self_signed(UNITY)),), role="publisher"),
    ),
    trusted=(("other",),) * 3,
)

UNREACHABLE = Scenario(
    name="unreachable",
    summary="All is well, but the last subscriber is down: what it would show cannot be seen.",
    authorities=(ROOT, OTHER),
    nodes=tuple(replace(node, running=node.address != SUBSCRIBERS[1]) for node in healthy_nodes()),
    trusted=(("other", "root"),) * 3,
)
