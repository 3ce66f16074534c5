"""Detection of a machine in the middle: what a node presents to the probe against the certificates that its own management lists.

Only what was read over a verified channel is compared with the probe. The probe observes who holds the key of what is presented, so
another certificate of the same node is no stranger, on whichever of its ports it is presented.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from remediate.connectors.tls.target import Observation, Target
from remediate.model.certificate import Certificate
from remediate.model.identity import Address
from remediate.model.snapshot import Alarm, Endpoint
from remediate.model.text import join_words, mask_and_escape
from remediate.model.toward_nodes import SERVICES_OF_CERTIFICATE

SERVICE_OF_PORT: Mapping[int, str] = {
    443: "tomcat",
    8443: "tomcat",
    6971: "CallManager",
    6972: "CallManager",
    5061: "CallManager",
    5091: "tomcat",
    7400: "cup-xmpp",
}
"""Whose certificate a port shows (Cisco, Unified CM security guide; 6971 and 6972 inferred)."""


def find_mitm_alarms(
    observations: Sequence[tuple[Target, Observation]], own_by_address: Mapping[Address, Sequence[tuple[str, Certificate]]]
) -> Iterator[Alarm]:
    """Yield an alarm for each certificate that is presented in place of one that the node's own management lists.

    Args:
        observations: Each target with what the probe observed there.
        own_by_address: The node's own certificates, each with the name of its service, read over a verified channel.
    """
    for target, observation in observations:
        own = own_by_address.get(target.address, ())
        service_of_port = SERVICE_OF_PORT.get(target.port)
        for family, chain in observation.presented.items():
            expected = [
                certificate for service, certificate in own if (service, certificate.key_family) == (service_of_port, family)
            ]
            if expected and all(certificate != chain[0] for _, certificate in own):
                yield _make_alarm(target, chain[0], expected[0])


def _make_alarm(target: Target, presented: Certificate, expected: Certificate) -> Alarm:
    name = Endpoint(target.address, target.port, target.product, {}).name
    return Alarm(
        presented.fingerprint,
        f"{name} presents {mask_and_escape(presented.subject, 120)} ({presented.fingerprint}), but certificate management on "
        f"{target.address} shows {expected.fingerprint} as the {presented.key_family.upper()} certificate of "
        f"{SERVICE_OF_PORT[target.port]}: someone may be in the middle, or the service was not restarted after its "
        f"certificate was renewed ({join_words(SERVICES_OF_CERTIFICATE[SERVICE_OF_PORT[target.port]])}). Trust neither until "
        "you have compared them on the node itself.",
    )
