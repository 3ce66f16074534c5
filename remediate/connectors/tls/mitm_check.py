"""Two ways to look at one server: what it presents to the probe, and what its own certificate management says that it has.

Only what came over a verified channel is held against the probe. The probe sees who holds the key of what is presented, so another
certificate of the same node is no stranger, whichever of its ports shows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from remediate.connectors.tls.target import Observation, Target
from remediate.model.certificate import Certificate
from remediate.model.identity import Address
from remediate.model.snapshot import Alarm, Endpoint
from remediate.model.text import mask_and_escape

SERVICE_OF_PORT: Mapping[int, str] = {443: "tomcat", 8443: "tomcat", 6971: "CallManager", 6972: "CallManager"}
"""Whose certificate a port shows (Cisco, Unified CM security guide; 6971 and 6972 inferred)."""


def disagreements(
    looked: Sequence[tuple[Target, Observation]], own: Mapping[Address, Sequence[tuple[str, Certificate]]]
) -> Iterator[Alarm]:
    """Yield an alarm for each certificate that was presented in the place of one that the node's own management names.

    Args:
        own: by address, the node's own certificates, each with the name of its service, read over a verified channel.
    """
    for target, seen in looked:
        named = own.get(target.address, ())
        for family, chain in seen.presented.items():
            expected = [
                one for service, one in named if service == SERVICE_OF_PORT.get(target.port) and one.key_family == family
            ]
            if expected and all(one != chain[0] for _, one in named):
                yield _alarm(target, chain[0], expected[0])


def _alarm(target: Target, presented: Certificate, expected: Certificate) -> Alarm:
    name = Endpoint(target.address, target.port, target.product, {}).name
    return Alarm(
        presented.fingerprint,
        f"{name} presents {mask_and_escape(presented.subject, 120)} ({presented.fingerprint}), but certificate management on "
        f"{target.address} says that the {presented.key_family.upper()} certificate of {SERVICE_OF_PORT[target.port]} is "
        f"{expected.fingerprint}: somebody may be in the middle, or the service was not restarted after its certificate was renewed. "
        "Trust neither before you have compared them on the node itself.",
    )
