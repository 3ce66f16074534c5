"""The judge: 502 with the line that an Expressway would log, and 200 once the reason is gone. Both judges say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediate.lab import SCENARIOS, JudgeAnswer, Lab
from remediate.lab.judge import traffic_server_path
from remediate.lab.openssl import name_accepted
from remediate.lab.scenario import RSA_PREFIX
from remediate.model.certificate import Certificate

needs_traffic_server = pytest.mark.skipif(traffic_server_path() is None, reason="traffic_server is not installed")
JUDGES = [pytest.param(True, marks=needs_traffic_server, id="traffic_server"), pytest.param(False, id="openssl")]
CUCM, IMP, VOICEMAIL = "cucm.steven.lab", "imp.steven.lab", "voicemail.steven.lab"


def _list_answers(lab: Lab, answers: dict[tuple[str, str, int], JudgeAnswer]) -> dict[tuple[int, str, int], tuple[int, str]]:
    """Return the answers without what differs from lab to lab: its network, and who answered."""
    network = lab.peers[0].address.rpartition(".")[0]
    return {
        (lab.peer(peer).number, address, port): (answer.status, (answer.log_line or "").replace(network, "N"))
        for (peer, address, port), answer in answers.items()
    }


@pytest.mark.parametrize("judge", JUDGES)
def test_the_story_is_healed_step_by_step(tmp_path: Path, judge: bool) -> None:
    with Lab(tmp_path, judge=judge) as lab:
        peer, where = lab.peers[0], f"server={CUCM}({lab.node(CUCM).connect_to})"
        lab.faults.reload_by_itself(peer.address)
        refused = lab.ask(0, CUCM, 6972)
        assert lab.ask(0, CUCM, 8443).status == 200
        assert refused.status == 502
        assert refused.log_line == (
            f"WARNING: Core server certificate verification failed for ({CUCM}). "
            f"Action=Terminate Error=self-signed certificate {where} depth=0"
        )

        lab.cluster.set_leaf(peer, "Ciphers ReverseProxyTLSCiphers Value", RSA_PREFIX + peer.ciphers["ReverseProxyTLSCiphers"])
        assert lab.ask(0, CUCM, 6972) == JudgeAnswer(200, None, lab.judge)

        assert lab.ask(0, IMP, 8443).status == 502
        lab.cluster.append_trusted(peer, [lab.pki.certificate(f"{IMP}/tomcat/rsa")])
        assert lab.ask(0, IMP, 8443).status == 200

        assert lab.ask(0, "cucm-sub1.steven.lab", 8443).status == 502
        lab.cluster.append_trusted(peer, [lab.pki.certificate("issuing")])
        assert lab.ask(0, "cucm-sub1.steven.lab", 8443).status == 200

        name = lab.ask(0, VOICEMAIL, 8443)
        assert name.status == 502
        assert name.log_line == (
            f"WARNING: SNI ({VOICEMAIL}) not in certificate. "
            f"Action=Terminate server={VOICEMAIL}({lab.node(VOICEMAIL).connect_to})"
        )


@pytest.mark.parametrize("judge", JUDGES)
def test_with_verification_off_everything_passes_and_is_still_logged(tmp_path: Path, judge: bool) -> None:
    with Lab(tmp_path, judge=judge) as lab:
        lab.cluster.set_leaf(lab.peers[0], "EdgeConfigServer VerifyOriginServer", "Off")
        answer = lab.ask(0, IMP, 8443)

    assert answer.status == 200
    assert answer.log_line
    assert "Action=Continue" in answer.log_line


@needs_traffic_server
@pytest.mark.parametrize("scenario", ["story", "stale", "same-cn", "tls13", "unreachable"])
def test_openssl_in_its_place_says_what_the_traffic_server_says(tmp_path: Path, scenario: str) -> None:
    answers = []
    for judge in (True, False):
        with Lab(tmp_path / str(judge), scenario, judge=judge) as lab:
            answers.append(_list_answers(lab, lab.ask_all()))

    assert answers[0] == answers[1]


def test_the_scenarios_are_what_they_say(tmp_path: Path) -> None:
    refused = {}
    for scenario in SCENARIOS:
        with Lab(tmp_path / scenario, scenario, judge=False) as lab:
            refused[scenario] = sum(answer.status != 200 for answer in lab.ask_all().values())

    assert refused["healthy"] == 0
    assert refused["selfsigned"] == 33
    assert refused["unreachable"] == 9
    assert refused["story"] == 29
    assert refused["stale"] == 6
    assert all(refused[name] for name in ("same-cn", "same-cn-stuck", "tls13"))


def test_removing_the_stale_certificate_helps(tmp_path: Path) -> None:
    address = "cucm-sub1.steven.lab"
    with Lab(tmp_path, "stale", judge=False) as lab:
        before = lab.ask(0, address, 8443)
        lab.faults.reload_by_itself(lab.peers[0].address)
        lab.cluster.remove_trusted(lab.peers[0], lab.pki.certificate("stale").fingerprint)
        after = lab.ask(0, address, 8443)

    assert before.log_line
    assert "Error=certificate has expired" in before.log_line
    assert before.log_line.endswith("depth=1")
    assert after.status == 200


@pytest.mark.parametrize(
    ("name", "address", "accepted"),
    [
        ("cucm.steven.lab", "CUCM.steven.lab", True),
        ("*.steven.lab", "cucm.steven.lab", True),
        ("*.steven.lab", "a.b.steven.lab", False),
        ("*.lab", "steven.lab", False),
        ("cu*.steven.lab", "cucm.steven.lab", True),
        ("c*m.steven.lab", "cucm.steven.lab", False),
        ("imp.steven.lab", "cucm.steven.lab", False),
    ],
)
def test_the_name_rule(name: str, address: str, accepted: bool) -> None:
    class Leaf(Certificate):
        """Only its names count here."""

        san_dns = (name,)
        common_name = ""

    assert name_accepted(Leaf(b"0\x02\x05\x00"), address) is accepted
