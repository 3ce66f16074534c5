"""Default scenario: Mobile and Remote Access after a fresh upgrade to X14.2, as in Cisco's troubleshooting example."""

from __future__ import annotations

from dataclasses import replace

from remediate.lab.scenario import EdgeSpec, NodeSpec, Scenario
from remediate.lab.scenarios.parts import (
    DOMAIN,
    IMP,
    ISSUING,
    OTHER,
    PUBLISHER,
    ROOT,
    SUBSCRIBERS,
    UNITY,
    call_manager,
    ecdsa_twin,
    self_signed,
    signed,
    tomcat,
)

_LEAF_ONLY = signed(SUBSCRIBERS[0], by="issuing", sends=())
_VOICEMAIL = f"voicemail.{DOMAIN}"

STORY = Scenario(
    name="story",
    summary="A fresh X14.2: self-signed ECDSA preferred on 6971 and 6972, one peer without the CA, an intermediate that nobody "
    "sends, a self-signed IM&P, and Unity under a name that its certificate lacks.",
    authorities=(ROOT, ISSUING, OTHER),
    nodes=(
        # Cisco's capture: 8443 shows CN cucmms with SAN cucm, 6972 the self-signed cucm-EC.
        NodeSpec(
            PUBLISHER,
            "cucm",
            (
                tomcat(signed(PUBLISHER, cn=f"cucmms.{DOMAIN}")),
                call_manager(signed(PUBLISHER), ecdsa_twin(PUBLISHER)),
            ),
            role="publisher",
        ),
        NodeSpec(SUBSCRIBERS[0], "cucm", (tomcat(_LEAF_ONLY), call_manager(_LEAF_ONLY))),
        NodeSpec(
            SUBSCRIBERS[1],
            "cucm",
            (tomcat(signed(SUBSCRIBERS[1])), call_manager(signed(SUBSCRIBERS[1]), ecdsa_twin(SUBSCRIBERS[1]))),
        ),
        NodeSpec(IMP, "imp", (tomcat(self_signed(IMP)),), role="publisher"),
        NodeSpec(_VOICEMAIL, "unity", (tomcat(signed(UNITY)),), role="publisher"),
    ),
    trusted=(("other", "root"), ("other", "root"), ("other",)),
    operator_ca=("issuing",),
)

ONE_EDGE = replace(
    STORY,
    name="one-edge",
    summary="The story behind one Expressway-E for the whole cluster: what a client gets does not show which peer it went through.",
    edge=EdgeSpec(shared=True),
)

X15 = replace(
    STORY,
    name="x15",
    summary="The story on X15.0, where the verification flag is gone; with the platform account, Unified CM itself vouches for the "
    "ECDSA certificates, so that trusting them is chosen over a changed cipher list.",
    version="X15.0.3",
    offers_verify_flag=False,
    platform_credentials=True,
)

RELOADS_BY_ITSELF = replace(
    STORY,
    name="reloads-by-itself",
    summary="The story with traffic servers that use a changed list at once: an upload is in effect without a restart.",
    reloads_by_itself=True,
)
