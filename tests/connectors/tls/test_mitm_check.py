"""What the probe saw, held against what a node's own certificate management says."""

from __future__ import annotations

from remediate.connectors.tls.mitm_check import find_mitm_alarms
from remediate.connectors.tls.target import Observation, Target
from remediate.model.certificate import Certificate
from remediate.model.identity import Address
from remediate.model.snapshot import Alarm
from tests.pki import issue

NODE = Address("cucm.example.test")
TOMCAT = issue("tomcat", names=(NODE,), family="rsa").certificate
CALL_MANAGER = issue("CallManager", names=(NODE,), family="rsa").certificate
TWIN = issue("CallManager-EC", names=(NODE,)).certificate
FORGED = issue("CallManager", names=(NODE,), family="rsa", key_name="in the middle").certificate
OWN = (("tomcat", TOMCAT), ("CallManager", CALL_MANAGER), ("CallManager", TWIN))


def alarms(port: int, presented: Certificate, own: tuple[tuple[str, Certificate], ...] = OWN) -> list[Alarm]:
    observation = Observation({"rsa" if presented.key_family == "rsa" else "ecdsa": (presented,)})
    return list(find_mitm_alarms([(Target(NODE, port, "cucm"), observation)], {NODE: own}))


def test_a_certificate_other_than_the_nodes_own_is_an_alarm() -> None:
    [alarm] = alarms(6972, FORGED)

    assert alarm.certificate == FORGED.fingerprint
    for words in ("cucm.example.test:6972 presents", FORGED.fingerprint, CALL_MANAGER.fingerprint, "RSA", "in the middle"):
        assert words in alarm.message


def test_a_certificate_that_the_node_lists_is_no_alarm() -> None:
    assert alarms(6972, CALL_MANAGER) == []
    assert alarms(6971, TWIN) == []
    # Which certificate 6971 and 6972 show is inferred; whoever shows another of the node's own holds the node's own key.
    assert alarms(6972, TOMCAT) == []


def test_where_nothing_is_named_nothing_disagrees() -> None:
    assert alarms(6972, FORGED, own=()) == []
    assert alarms(6972, FORGED, own=(("tomcat", TOMCAT), ("CallManager", TWIN))) == []
    assert alarms(7443, FORGED) == []
