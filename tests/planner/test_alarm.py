"""An alarm takes every voucher away but a person's, and is the first thing that a plan says."""

from __future__ import annotations

from dataclasses import replace

from remediate.model.plan import Policy, TrustCertificate
from remediate.model.snapshot import Alarm, Snapshot
from remediate.planner import make_plan
from tests.pki import issue
from tests.planner.build import endpoint, peer, snapshot

FORGED = issue("cucm.test", names=("cucm.test",), key_name="in the middle")
ALARM = Alarm(FORGED.certificate.fingerprint, "cucm.test:8443 presents another certificate than its own management names.")


def alarmed() -> Snapshot:
    """One peer trusts the forged certificate already, and it stands among those vouched for."""
    seen = snapshot(
        [peer(1, [FORGED]), peer(2, [])], [endpoint("cucm.test", rsa=[FORGED])], [FORGED], available=[], vouched=[FORGED]
    )
    return replace(seen, alarms=(ALARM,))


def approval(policy: Policy) -> str:
    [action] = [action for action in make_plan(alarmed(), policy).actions if isinstance(action, TrustCertificate)]
    return action.approval


def test_only_a_person_vouches_for_what_an_alarm_is_about() -> None:
    assert approval(Policy()) == "required"
    assert approval(Policy(approved=frozenset({ALARM.certificate}))) == "granted"


def test_the_alarm_is_the_first_note() -> None:
    assert make_plan(alarmed()).notes[0] == f"Alarm: {ALARM.message}"


def test_a_snapshot_keeps_its_alarms() -> None:
    assert Snapshot.from_json(alarmed().to_json()).alarms == (ALARM,)
