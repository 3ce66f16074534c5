"""The dry run: the whole path, the same checks, and nothing written (promise 10)."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.executor.lock import LockError
from remediate.model.errors import Declined
from remediate.model.events import Event
from remediate.model.identity import Address, Fingerprint
from remediate.model.toward_nodes import ClientCause, TowardNode
from tests.executor.clusters import IMP, plan_for, story
from tests.executor.conftest import Desk
from tests.executor.memory import no_tap
from tests.executor.tapped import Crash, CrashAt


def test_a_dry_run_walks_the_whole_path_and_writes_nothing(desk: Desk) -> None:
    # Given a cluster whose peers refuse writes when opened for reading
    cluster = story()
    plan = plan_for(cluster)
    # When it is rehearsed
    result = desk.apply(cluster, plan, dry_run=True)
    # Then no device got a write, no journal came to be, every change is said, and what cannot be known reads so
    assert (result.state, result.has_written, cluster.sent_count) == ("dry-run", False, 0)
    assert not desk.state_dir.exists()
    assert len(desk.messages("would-change")) == 1 + 6
    assert any("unknown until apply" in text for text in desk.messages("unknown"))
    steps = [event.fields["step"] for event in desk.events if event.type == "step"]
    # And the walk is the one of a real run, verification apart
    live = Desk(desk.home / "live")
    live.apply(story(), plan)
    assert steps == [event.fields["step"] for event in live.events if event.type == "step" and event.fields["step"] != 12]


def test_events_name_what_changes_in_fields_as_the_run_does(desk: Desk) -> None:
    plan = plan_for(story())
    desk.apply(story(), plan, dry_run=True)
    rehearsed = [_change_of(event) for event in desk.events if event.type == "would-change" and "change" in event.fields]
    live = Desk(desk.home / "live")
    live.apply(story(), plan)

    assert rehearsed == [_change_of(event) for event in live.events if event.type == "change-complete"]
    trusted = [fields for fields in rehearsed if fields["change"] == "trust-certificate"]
    assert {fields["certificate"] for fields in trusted} <= set(plan.certificates)
    assert all(fields["subject"] == plan.certificates[Fingerprint(str(fields["certificate"]))].subject for fields in trusted)


def _change_of(event: Event) -> dict[str, object]:
    return {key: value for key, value in event.fields.items() if key not in {"run", "seq", "step"}}


def test_a_dry_run_refuses_what_a_real_run_refuses(desk: Desk) -> None:
    cluster = story()
    with pytest.raises(Declined):
        desk.apply(cluster, plan_for(cluster, approved=frozenset()), dry_run=True)


def test_a_dry_run_refuses_an_unusable_state_directory(desk: Desk) -> None:
    # Given a state directory that anybody may write to, and one that cannot be made
    desk.state_dir.mkdir(parents=True)
    desk.state_dir.chmod(0o777)
    cluster = story()
    for dry_run in (True, False):
        with pytest.raises(LockError, match="is not private to this user"):
            desk.apply(cluster, plan_for(cluster), dry_run=dry_run)
    desk.state_dir.rmdir()
    for stands_in_the_way in (_a_file, _a_link_to_nowhere, _a_file_for_its_locks):
        stands_in_the_way(desk.state_dir)
        for dry_run in (True, False):
            with pytest.raises(LockError, match=r"cannot be made|is not private to this user"):
                desk.apply(cluster, plan_for(cluster), dry_run=dry_run)
        shutil.rmtree(desk.state_dir) if desk.state_dir.is_dir() else desk.state_dir.unlink()


def _a_file(state_dir: Path) -> None:
    state_dir.write_text("in the way")


def _a_link_to_nowhere(state_dir: Path) -> None:
    state_dir.symlink_to("/nowhere/at/all")


def _a_file_for_its_locks(state_dir: Path) -> None:
    state_dir.mkdir()
    (state_dir / "locks").write_text("in the way")


def test_a_dry_run_refuses_a_name_that_no_directory_can_have(desk: Desk) -> None:
    cluster = story()
    desk.home.mkdir()
    nowhere = replace(desk, home=desk.home / ("x" * 300))
    for dry_run in (True, False):
        with pytest.raises(LockError, match="File name too long"):
            nowhere.apply(cluster, plan_for(cluster), dry_run=dry_run)


def test_a_dry_run_knows_the_approvals_of_the_resumed_run(desk: Desk) -> None:
    # Given a run that a person approved, and that was killed half-way
    cluster = story()
    plan = plan_for(cluster, approved=frozenset())
    cluster.tap = CrashAt(30)
    with pytest.raises(Crash):
        desk.apply(cluster, plan, approved=frozenset({IMP.certificate.fingerprint}))
    cluster.tap = no_tap
    # When the same plan is rehearsed without approvals, Then that is not refused, as the real apply is not
    assert desk.apply(cluster, plan, dry_run=True).state == "dry-run"
    assert desk.apply(cluster, plan).state == "applied"


def test_a_dry_run_skips_changes_made_and_absent_peers(desk: Desk) -> None:
    # Given a peer that has what the plan adds, and one that is down
    cluster = story()
    plan = plan_for(cluster)
    cluster.device(2).trusted.append(IMP.certificate)
    cluster.device(3).up = False
    # When the plan is rehearsed with a rolling restart
    result = desk.apply(cluster, plan, dry_run=True, allow_incomplete=True, restart="rolling")
    # Then that is said, and no peer would be restarted while another one is down
    assert len(desk.messages("nothing-to-do")) == 1
    assert not any("restart" in message for message in desk.messages("would-change"))
    assert (result.exit_code, len(result.open_steps)) == (8, 3)
    assert "peers-up: Does not answer: expc3.example.test" in result.open_steps[0].text


def test_a_dry_run_counts_nodes_that_refuse_the_peers(desk: Desk) -> None:
    # Given a plan by which a node refuses a peer's own certificate
    cluster = story()
    refusal = TowardNode(
        cluster.devices[0].address, Address("cucm.example.test"), "tomcat", ok=False, cause=ClientCause.UNTRUSTED
    )
    plan = replace(plan_for(cluster), toward_nodes=(refusal,))
    # When it is rehearsed, and applied, Then both say so
    rehearsed, applied = desk.apply(cluster, plan, dry_run=True), desk.apply(cluster, plan)
    for result in (rehearsed, applied):
        assert result.exit_code == 10
        assert "1 node refuses the peers' own certificates" in result.message
    # And not where what remains is accepted
    assert desk.apply(story(), plan, dry_run=True, accept_remaining=True).exit_code == 0
