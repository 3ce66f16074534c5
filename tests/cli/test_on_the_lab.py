"""The verbs on real protocols: what they read, what they never write, and their exit codes."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from remediate.formats.outputs import EventOutput
from remediate.lab import Lab
from remediate.lab.faults import LOGIN_PAGE, Substitute
from remediate.lab.raml import Removal
from tests.cli.conftest import Remediate

pytestmark = pytest.mark.lab


def test_reading_verbs_send_no_write(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    request_count = len(lab.requests)

    codes = {
        "plan": remediate("plan", "-i", lab.inventory, "-o", plan, "-q").code,
        "collect": remediate("collect", "-i", lab.inventory, "-q").code,
        "verify": remediate("verify", "-i", lab.inventory, "-q").code,
        "doctor": remediate("doctor", "-i", lab.inventory).code,
        "workaround": remediate("workaround", "status", "-i", lab.inventory, "-q").code,
        "dry run": remediate("apply", plan, "-i", lab.inventory, "--dry-run", "--approve-file", lab.approvals, "-q").code,
    }

    assert codes == {"plan": 0, "collect": 0, "verify": 10, "doctor": 0, "workaround": 0, "dry run": codes["dry run"]}
    assert codes["dry run"] in {0, 10}
    assert len(lab.requests) > request_count
    assert [request for request in list(lab.requests)[request_count:] if request.write] == []


def test_stdout_is_one_document_and_progress_is_on_stderr(remediate: Remediate, lab: Lab) -> None:
    ended = remediate("verify", "-i", lab.inventory, "--json")

    [cluster] = ended.document["clusters"]
    assert (cluster["cluster"], cluster["exit_code"], cluster["complete"]) == ("edge-lab", 10, True)
    assert {"address", "port", "peer", "ok", "cause", "error", "code", "depth", "key"} <= cluster["endpoints"][0].keys()
    assert ended.err
    assert remediate("verify", "-i", lab.inventory, "--json", "-q").err == ""


def test_events_begin_with_the_version_and_end_in_a_summary(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"

    code = remediate("collect", "-i", lab.inventory, "--events", events, "-q").code
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    for line in lines:
        EventOutput.model_validate(line)

    assert (lines[0]["type"], lines[-1]["type"], lines[-1]["exit_code"]) == ("version", "summary", code)
    assert [line["seq"] for line in lines] == list(range(len(lines)))
    assert all({"type", "message", "cluster", "timestamp"} <= line.keys() for line in lines)
    assert events.stat().st_mode & 0o777 == 0o600


def test_events_on_stdout_leave_nothing_else_there(remediate: Remediate, lab: Lab) -> None:
    ended = remediate("collect", "-i", lab.inventory, "--events", "-", "-q")

    assert all(json.loads(line) for line in ended.out.splitlines())
    assert "edge-lab: 3 peers" in ended.err
    assert remediate("collect", "-i", lab.inventory, "--events", "-", "--json").code == 64


def test_apply_without_approvals_is_7_and_shows_each_fingerprint(
    remediate: Remediate, lab: Lab, snapshot: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.json"
    remediate("plan", "--snapshot", snapshot, "-o", plan)
    request_count = len(lab.requests)
    required = [load["certificate"] for load in json.loads(plan.read_text())["actions"] if load.get("approval") == "required"]

    ended = remediate("apply", plan, "-i", lab.inventory, "--yes", "--json")

    assert ended.code == 7
    assert ended.document["error"]["exit_code"] == 7
    assert required
    assert all(fingerprint in ended.err for fingerprint in required)
    assert [request for request in list(lab.requests)[request_count:] if request.write] == []


def test_the_plan_of_another_cluster_is_refused(remediate: Remediate, lab: Lab, snapshot: Path, tmp_path: Path) -> None:
    plan, other_inventory = tmp_path / "plan.json", lab.inventory.with_name("other.yml")
    remediate("plan", "--snapshot", snapshot, "-o", plan)
    other_inventory.write_text(lab.inventory.read_text().replace("name: edge-lab", "name: edge-other"))

    ended = remediate("apply", plan, "-i", other_inventory, "--yes")

    assert ended.code == 1
    assert "The plan is for the cluster edge-lab" in ended.err


def test_the_most_serious_exit_code_of_all_clusters_wins(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    both = lab.inventory.with_name("both.yml")
    text = lab.inventory.read_text()
    broken = text[text.index("  - name:") :].replace("edge-lab", "edge-broken").replace("secrets/expressway", "secrets/gone")
    both.write_text(text + broken)

    ended = remediate("verify", "-i", both, "--json", "-q")
    chosen = remediate("verify", "-i", both, "-c", "*-lab", "--json", "-q")
    planned = remediate("plan", "-i", both, "-o", tmp_path / "plans", "-q")
    (tmp_path / "plans").mkdir()
    again = remediate("plan", "-i", both, "-o", tmp_path / "plans", "-q")

    assert {cluster["cluster"]: cluster["exit_code"] for cluster in ended.document["clusters"]} == {
        "edge-lab": 10,
        "edge-broken": 1,
    }
    assert (ended.code, ended.document["exit_code"]) == (1, 1)
    assert "edge-broken: The password file" in ended.err
    assert (chosen.code, len(chosen.document["clusters"])) == (10, 1)
    assert (planned.code, "is not a folder" in planned.err) == (64, True)
    assert (again.code, [path.name for path in (tmp_path / "plans").iterdir()]) == (1, ["edge-lab.json"])


def test_a_cluster_that_is_not_there_names_the_nearest(remediate: Remediate, lab: Lab) -> None:
    ended = remediate("verify", "-i", lab.inventory, "-c", "edge-lap")

    assert ended.code == 1
    assert "did you mean edge-lab?" in ended.err


def test_doctor_names_the_sources_of_secrets_and_no_secret(
    remediate: Remediate, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    ended = remediate("doctor", "-i", lab.inventory)

    assert "secrets/expressway" in ended.out
    assert "by hand:" in ended.out
    assert "can be written" in ended.out
    for secret in (lab.accounts.password, lab.accounts.axl_password):
        assert secret not in ended.out + ended.err


def test_doctor_names_what_would_stop_an_apply(remediate: Remediate, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    text = lab.inventory.read_text()
    no_secret, bad_pin = lab.inventory.with_name("no-secret.yml"), lab.inventory.with_name("bad-pin.yml")
    no_secret.write_text(text.replace("secrets/expressway", "secrets/gone"))
    bad_pin.write_text(text.replace(lab.peers[0].fingerprint, "sha256:" + "0" * 64))

    missing = remediate("doctor", "-i", no_secret, "--state-dir", "/proc/nowhere")
    pinned = remediate("doctor", "-i", bad_pin, "--json")

    assert missing.code == 1
    assert "secrets/gone cannot be read" in missing.out
    assert "/proc/nowhere cannot be used" in missing.out
    assert pinned.code == 1
    assert any("sha256:" + "0" * 64 in finding["said"] for finding in pinned.document["clusters"][0]["findings"])


def test_a_wrong_password_is_1_and_only_one_peer_was_asked(
    remediate: Remediate, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = lab.inventory.with_name("wrong.yml")
    wrong.write_text(lab.inventory.read_text().replace("{file: secrets/expressway}", "{env: WRONG}"))
    monkeypatch.setenv("WRONG", "canary-password")

    ended = remediate("plan", "-i", wrong, "--json")

    assert ended.code == 1
    assert "canary-password" not in ended.out + ended.err
    assert len({request.peer for request in lab.requests if not request.authorised}) == 1


def test_the_lab_is_started_queried_and_stopped(remediate: Remediate, tmp_path: Path) -> None:
    where = ("--directory", tmp_path / "own-lab")

    wrong = remediate("lab", "up", "--scenario", "nonsense", *where)
    up = remediate("lab", "up", "--scenario", "healthy", *where, "--json")
    try:
        again = remediate("lab", "up", *where)
        verified = remediate("verify", "-i", up.document["inventory"], "-q")
        answered = remediate("lab", "mra", *where, "--json")
    finally:
        down = remediate("lab", "down", *where)
    after = remediate("lab", "status", *where, "--json")

    assert (wrong.code, "story" in wrong.err) == (1, True)
    assert (up.code, up.document["running"], up.document["scenario"]) == (0, True, "healthy")
    assert (again.code, "already" in again.err) == (1, True)
    assert verified.code == 0
    assert {answer["status"] for answer in answered.document} == {200}
    assert (down.code, after.document["running"]) == (0, False)
    assert remediate("lab", "mra", *where).code == 1


def test_doctor_names_verdicts_that_a_wrong_clock_changes(
    remediate: Remediate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    # Given a peer that lives five years ahead, where the nodes' certificates are past their end, and one that is a minute late
    with Lab(tmp_path / "lab", scenario="healthy", judge=False) as healthy:
        healthy.faults.clock(healthy.peers[1].address, timedelta(days=5 * 365))
        healthy.faults.clock(healthy.peers[2].address, -timedelta(minutes=1))
        ended = remediate("doctor", "-i", healthy.inventory)
        document = remediate("doctor", "-i", healthy.inventory, "--json").document

    assert ended.code == 0
    assert ended.out.count("its clock agrees with this machine's") == 2
    findings = [
        finding
        for finding in document["clusters"][0]["findings"]
        if finding["next_step"] and finding["subject"].startswith("peer ")
    ]
    assert {finding["subject"] for finding in findings} == {f"peer {healthy.peers[1].address}"}
    assert "days ahead of this machine's" in findings[0]["said"]
    assert findings[1]["said"].startswith(
        "refused (expired) by its clock, verified by this machine's: cucm-sub1.steven.lab:6971, "
    )
    assert findings[1]["said"].endswith(" and 7 more")
    assert "  ! " in ended.out


def test_doctor_lists_manual_work_and_the_workaround(
    remediate: Remediate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    with Lab(tmp_path / "lab", judge=False) as story:
        without = story.inventory.with_name("no-axl.yml")
        lines = story.inventory.read_text().splitlines(True)
        absent = ("secrets/axl", " mra: ", "secrets/mra")
        without.write_text("".join(line for line in lines if not any(text in line for text in absent)))
        with_account = remediate("doctor", "-i", story.inventory)
        story.peers[1].leaves["EdgeConfigServer VerifyOriginServer"] = "Off"
        ended = remediate("doctor", "-i", without)

    assert "done for you: restarting over REST, refreshing cucm discovery over REST, refreshing imp discovery over REST" in (
        with_account.out
    )
    assert "by hand: removing from the trusted CA list, refreshing unity discovery" in with_account.out
    assert with_account.err == ""
    assert f"probe signed in over {story.edges[0].url}, so an apply can see" in with_account.out
    assert ended.out.count("an apply cannot see whether new trust is in effect: the inventory has no `mra` for this peer") == 3
    assert "refreshing cucm discovery (until the inventory has its AXL account)" in ended.out
    assert f"accepted by {story.peers[1].address}, a forged one too" in ended.err
    assert "remediate workaround off -i INVENTORY -c edge-lab" in ended.err
    assert "journal" in ended.out


def test_a_workaround_that_is_on_is_not_forgotten(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    # Given the workaround, turned on from here
    plan = tmp_path / "plan.json"
    remediate("plan", "-i", lab.inventory, "-o", plan, "-q")
    assert remediate("workaround", "on", "--yes", "-i", lab.inventory, "-q").code == 0
    try:
        # Then every later command says so, those that look at no cluster too
        for arguments in (
            ["verify", "-i", lab.inventory],
            ["plan", "-i", lab.inventory],
            ["apply", plan, "-i", lab.inventory, "--dry-run", "--approve-file", lab.approvals],
        ):
            for how in ("-v", "-q"):
                assert "the workaround is on" in remediate(*arguments, how).err.casefold(), (arguments[0], how)
        rehearsed = remediate("apply", plan, "-i", lab.inventory, "--dry-run", "--approve-file", lab.approvals, "--json", "-q")
        assert any(note.startswith("The workaround is on") for note in rehearsed.document["notes"])
        assert "the workaround may be on, as it was last turned from here" in remediate("runs").err
    finally:
        assert remediate("workaround", "off", "--yes", "--force", "-i", lab.inventory, "-q").code == 0
    # And when it is off again, nothing is said any more
    assert "workaround" not in remediate("runs").err


ELSEWHERE = {
    "a login page": (LOGIN_PAGE, "a web page (HTML), “Sign in”"),
    "nothing": (Substitute(204), "with nothing"),
    "a redirect": (Substitute(302, b"", (("Location", "https://sso.example.test/"),)), "to sso.example.test"),
    "a redirect that cannot be read": (Substitute(302, b"", (("Location", "https://["),)), "an address that cannot be read"),
    "no such page": (Substitute(404, b"not found"), "`rest_port`"),
    "no API access": (Substitute(403, b"Forbidden"), "API access"),
}


@pytest.mark.parametrize(("answer", "advice"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_what_answers_in_the_place_of_a_peer_is_no_login(
    remediate: Remediate, lab: Lab, answer: Substitute, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a cluster in whose place something else answers
    monkeypatch.setenv("COLUMNS", "400")
    for peer in lab.peers:
        lab.faults.substitute(peer.address, answer)
    try:
        # When it is looked at
        doctor = remediate("doctor", "-i", lab.inventory)
        plan = remediate("plan", "-i", lab.inventory, "-q")
    finally:
        lab.faults.clear()
    # Then both say what came, and neither ends well
    assert doctor.code in {1, 4}
    assert plan.code in {1, 4}
    assert "logged in" not in doctor.out
    assert advice in doctor.out + doctor.err
    assert advice in plan.out + plan.err


def test_doctor_says_that_a_form_of_removal_is_not_known(
    remediate: Remediate, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    lab.faults.describe(lab.peers[0].address, removal=Removal.UNKNOWN)
    try:
        ended = remediate("doctor", "-i", lab.inventory)
    finally:
        lab.faults.clear()

    assert ended.out.count("removing from the trusted CA list (it describes DELETE in a form that is not known)") == 1


def test_doctor_shows_the_health_of_each_peer(remediate: Remediate, lab: Lab) -> None:
    condition = lab.peers[1].condition
    condition.raise_alarm("25026")
    condition.ordinary_calls = 4
    try:
        ended = remediate("doctor", "-i", lab.inventory)
        document = remediate("doctor", "-i", lab.inventory, "--json").document
    finally:
        condition.lower_alarm("25026")
        condition.ordinary_calls = 0

    text = " ".join(ended.out.split())
    assert "alarm 25026: Restart required" in text
    assert "4 calls; 0 registrations; maintenance mode off" in text
    health = document["clusters"][0]["health"]
    assert set(health) == {peer.address for peer in lab.peers}
    assert health[lab.peers[1].address]["calls"] == 4
    assert health[lab.peers[0].address]["alarms"] == []
    assert ended.code == 0
