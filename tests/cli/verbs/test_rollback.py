"""`rollback` from the command line: what it asks, and which run it means."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.cli.app import run
from remediate.executor.identity import Operator
from remediate.executor.journal.store import Journal
from remediate.lab import Lab
from remediate.lab.scenario import Removal
from remediate.model.identity import Address, Fingerprint
from remediate.model.plan import Plan
from remediate.model.run import Backup
from tests.cli.conftest import Remediate, answer_on_terminal

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, Path]]:
    """Yield a lab whose peers offer removal, with one run in the journal of the state directory beside it."""
    home = tmp_path_factory.mktemp("applied")
    lab = Lab(home / "lab", judge=False)
    lab.scenario = replace(lab.scenario, removal=Removal.FINGERPRINT, reloads_by_itself=True)
    with lab:
        where = ["-q", "-i", str(lab.inventory), "--state-dir", str(home / "state")]
        approved = ["--approve-file", str(lab.approvals)]
        assert run(["plan", *where, *approved, "-o", str(home / "plan.json")]) == 0
        assert run(["apply", str(home / "plan.json"), *where, *approved, "--yes"]) == 10
        yield lab, home / "state"


def undoable(state: Path) -> int:
    """Return how many steps of the last run have a change that undoes them."""
    with Journal(state) as journal:
        return sum(step.inverse_kind is not None for step in journal.steps(journal.run("last").id))


def test_a_rollback_asks_by_steps_and_counts(remediate: Remediate, applied: tuple[Lab, Path]) -> None:
    lab, state = applied
    writes = len(lab.requests.writes)
    where = ("-i", lab.inventory, "--state-dir", state)

    declined = answer_on_terminal("no", "rollback", "last", *where)
    request_count = len(lab.requests)
    alone = remediate("rollback", "last", *where)

    assert len(lab.requests) == request_count  # without a terminal, not even a peer is read
    assert (declined.code, alone.code) == (7, 7)
    assert "--yes" in alone.err
    assert "certificates to remove:" in declined.err
    assert declined.err.count(" (sha256:") == 2 * 3  # the first few of each list
    assert f"Undo {undoable(state)} changes on 3 peers of edge-lab? Type yes to go on: " in declined.err
    assert len(lab.requests.writes) == writes


def test_a_rollback_asks_with_the_counts_of_its_dry_run(applied: tuple[Lab, Path], remediate: Remediate) -> None:
    # Given peers that offer no removal
    lab, state = applied
    where = ("-i", lab.inventory, "--state-dir", state)
    for peer in lab.peers:
        lab.faults.describe(peer.address, removal=Removal.NONE)

    declined = answer_on_terminal("no", "rollback", "last", *where)
    rehearsed = remediate("rollback", "last", *where, "--dry-run", "--json")

    lab.faults.clear()
    steps = rehearsed.document["open_steps"]
    assert (declined.code, rehearsed.code, len(steps)) == (7, 8, undoable(state))
    question = f"Nothing can be undone automatically. Leave {len(steps)} steps to do by hand on 3 peers of edge-lab? Type yes"
    assert question in declined.err
    assert not any(step in declined.err for step in steps)
    assert f"would undo 0 changes. {len(steps)} steps would be left to do by hand." in rehearsed.document["message"]


def test_a_rollback_asks_about_what_may_still_show(applied: tuple[Lab, Path], tmp_path: Path) -> None:
    # Given a run whose only write that is not undone had no answer, and does not show
    lab, applied_state = applied
    state = shutil.copytree(applied_state, tmp_path / "state")
    with Journal(state, writable=True) as journal:
        run_id = journal.run("last").id
        steps = journal.steps(run_id)
        unseen = next(step for step in steps if step.kind == "trust-certificate")
        for step in steps:
            journal.record_undo(run_id, step.seq, proven=True)
        journal.record_outcome(run_id, unseen.seq, "unknown")
        certificate = journal.certificate(Fingerprint(unseen.facts["certificate"]))
    lab.cluster.remove_trusted(lab.peer(unseen.peer), certificate.fingerprint)

    declined = answer_on_terminal("no", "rollback", run_id, "-i", lab.inventory, "--state-dir", state)

    lab.cluster.append_trusted(lab.peer(unseen.peer), [certificate])
    assert declined.code == 7
    lines = declined.err.splitlines()
    assert lines[1:4] == ["  If the write of the run still shows:", f"  {unseen.peer}:", "    1 certificate to remove:"]
    assert "Undo up to 1 change on 1 peer of edge-lab? Type yes" in declined.err


def test_a_rollback_that_restarts_asks_with_the_calls(applied: tuple[Lab, Path]) -> None:
    lab, state = applied
    condition = lab.peers[0].condition
    condition.ordinary_calls = 3
    arguments = "-i", lab.inventory, "--state-dir", state, "--restart", "rolling"

    declined = answer_on_terminal("no", "rollback", "last", *arguments)

    condition.ordinary_calls = 0
    assert declined.code == 7
    assert f"{lab.peers[0].address} (3 calls" in declined.err
    assert "Maintenance mode drops MRA calls of CE endpoints at once" in declined.err


def test_a_dry_run_of_a_rollback_never_asks(applied: tuple[Lab, Path]) -> None:
    lab, state = applied
    writes = len(lab.requests.writes)

    ended = answer_on_terminal("no", "rollback", "last", "-i", lab.inventory, "--state-dir", state, "--dry-run")

    assert (ended.code, "Type yes" in ended.err) == (0, False)
    assert "certificates to remove:" in ended.out
    assert f"would undo {undoable(state)} changes." in ended.out
    assert len(lab.requests.writes) == writes


def test_the_last_run_is_that_of_the_chosen_clusters(
    remediate: Remediate, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a run on one cluster, a later one on another, and an inventory of both, whose peers nobody can reach
    whole = Plan.from_json(plan.read_text())
    with Journal(Path(os.environ["REMEDIATE_STATE_DIR"]), writable=True) as journal:
        backup = Backup(Address("127.0.0.1"), (), {})
        first, second = (
            journal.begin_run(replace(whole, cluster=name), (backup,), (), operator=Operator("anna", "jump", 1), ticket=None)
            for name in ("paris", "rome")
        )
    inventory = tmp_path / "inventory.yml"
    peer = '{address: 127.0.0.1, rest_port: 1, ssh_port: 1, tls: {fingerprint: "sha256:' + "0" * 64 + '"}}'
    clusters = [
        f"  - name: {name}\n    expressway: {{username: admin, password: {{env: NONE}}, peers: [{peer}]}}\n"
        for name in ("paris", "rome")
    ]
    inventory.write_text("version: 1\nclusters:\n" + "".join(clusters))
    monkeypatch.setenv("NONE", "secret")

    # Then the last one is that of the cluster that is chosen
    assert remediate("rollback", "last", "--yes", "-i", inventory, "-c", "paris", "--json", "-q").document["run"] == first
    assert remediate("rollback", "last", "--yes", "-i", inventory, "-c", "rome", "--json", "-q").document["run"] == second
    both = remediate("rollback", "last", "--yes", "-i", inventory, "-q")
    assert (both.code, "has runs of paris and rome" in both.err) == (64, True)
    inventory.write_text(inventory.read_text().replace("paris", "milan"))
    none = remediate("rollback", "last", "--yes", "-i", inventory, "-c", "milan", "-q")
    assert (none.code, "There is no run on the chosen clusters yet" in none.err) == (1, True)
