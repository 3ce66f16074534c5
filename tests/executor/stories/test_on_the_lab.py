"""The same promises on the lab: real HTTPS, real SSH, real TLS, the real connectors."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.connectors.expressway.trusted_list import parse_certificate_list
from remediate.executor.journal.store import Journal
from remediate.executor.preflight import ListFull
from remediate.executor.workaround import NotVerified, most_serious_code, set_workaround
from remediate.lab.pki import bystanders
from remediate.lab.scenario import PageStyle, Removal
from remediate.model.effect import EffectState
from remediate.model.errors import StalePlan
from remediate.model.expressway import MAX_TRUSTED_CA, REVERSE_PROXY_CIPHERS
from remediate.model.plan import EndpointForecast, Policy
from tests.executor.bench import QUICK, Bench

pytestmark = pytest.mark.lab


def test_the_story_is_fixed_and_a_dry_run_sends_no_write(bench: Callable[[str], Bench]) -> None:
    # Given the morning after the upgrade
    story = bench("story")
    plan = story.plan()
    # When the plan is rehearsed, Then the request log proves that nothing was sent
    assert story.apply(plan, dry_run=True).exit_code == 10
    assert story.lab.requests.writes == ()
    # When it is applied, Then the judge agrees with the plan's prediction everywhere
    result = story.apply(plan)
    assert (result.exit_code, result.state) == (10, "applied")
    answers = story.lab.ask_all()
    for endpoint in plan.endpoints:
        assert (answers[(endpoint.peer, endpoint.address, endpoint.port)].status == 200) is endpoint.after.ok
    # When it is applied again, Then no write is sent
    story.lab.requests.clear()
    again = story.apply(plan)
    assert (again.exit_code, again.has_written, story.lab.requests.writes) == (10, False, ())


def test_an_apply_converges_over_lost_answers_and_requests(bench: Callable[[str], Bench]) -> None:
    # Given devices that lose answers and requests
    story = bench("story")
    plan = story.plan()
    first, second, third = story.lab.peers
    story.lab.faults.drop_answer(first.address, containing="certs/root")
    story.lab.faults.drop_request(second.address, containing="certs/root")
    story.lab.faults.drop_answer(third.address, containing="certs/root", times=2)
    story.lab.faults.drop_answer(first.address, transport="ssh", containing="ReverseProxyTLSCiphers Value:")
    # When the plan is applied, with a rolling restart
    result = story.apply(plan, restart="rolling")
    # Then it converges, no list has a certificate twice, and each peer restarted once
    assert (result.exit_code, result.state) == (10, "applied")
    assert all(len(set(trusted_list)) == len(trusted_list) for trusted_list in story.lists())
    assert [peer.restarts for peer in story.lab.peers] == [1, 1, 1]
    assert first.ciphers[REVERSE_PROXY_CIPHERS] == third.ciphers[REVERSE_PROXY_CIPHERS]


def test_a_removal_and_its_rollback_where_the_peer_offers_both(bench: Callable[[str], Bench]) -> None:
    # Given a stale certificate that shadows the good one
    stale = bench("stale")
    before = stale.lists()
    plan = stale.plan(Policy(allow_removal=True), removal="rest")
    assert any(action.kind == "remove-certificate" for action in plan.actions)
    # When the plan is applied and rolled back
    assert stale.apply(plan).exit_code == 0
    assert stale.lists() != before
    result = stale.rollback()
    # Then every peer trusts what it trusted
    assert (result.exit_code, result.state) == (0, "rolled-back")
    assert [sorted(trusted_list) for trusted_list in stale.lists()] == [sorted(trusted_list) for trusted_list in before]


WAYS_BACK = [
    (PageStyle.BLOCK, Removal.FINGERPRINT),
    (PageStyle.FLOW, Removal.FINGERPRINT),
    (PageStyle.ANCHORS, Removal.SHA256_COLONS),
    (PageStyle.BROKEN, Removal.SHA1),
    (PageStyle.FLOW, Removal.PEM_FIELD),
    (PageStyle.BLOCK, Removal.PEM_BODY),
    (PageStyle.BROKEN, Removal.SUBJECT_AND_SERIAL),
]


@pytest.mark.parametrize(("style", "removal"), WAYS_BACK)
def test_a_rollback_ends_right_in_every_form_of_removal(
    bench: Callable[[str], Bench], style: PageStyle, removal: Removal
) -> None:
    # Given a plan that was applied to peers which describe removal in this form
    story = bench("story")
    for peer in story.lab.peers:
        story.lab.faults.describe(peer.address, style=style, removal=removal)
    before = story.lists()
    story.apply(story.plan())
    assert story.lists() != before
    # When it is rolled back
    result = story.rollback()
    # Then every list is as it was
    assert (result.exit_code, result.state, story.lists()) == (0, "rolled-back", before)


@pytest.mark.parametrize("removal", [Removal.NONE, Removal.UNKNOWN])
def test_a_rollback_asks_a_person_where_no_form_is_known(bench: Callable[[str], Bench], removal: Removal) -> None:
    story = bench("story")
    for peer in story.lab.peers:
        story.lab.faults.describe(peer.address, removal=removal)
    story.apply(story.plan())
    after = story.lists()

    result = story.rollback()

    assert (result.exit_code, story.lists()) == (8, after)
    assert all("Trusted CA certificate" in step.text for step in result.open_steps)


def test_an_accepted_write_that_is_not_seen_is_unknown(bench: Callable[[str], Bench]) -> None:
    # Given devices, the second of which ignores an upload
    story = bench("story")
    plan = story.plan()
    story.lab.faults.ignore_write(story.lab.peers[1].address, containing="certs/root")
    # When the plan is applied
    result = story.apply(plan)
    # Then nobody knows whether it will show, and the journal says so
    assert (result.exit_code, result.state) == (8, "unknown")
    with Journal(story.home / "state") as journal:
        assert [step.state for step in journal.steps(result.run_id)][-1] == "unknown"
    # And when the same plan is applied again, the same run ends well
    again = story.apply(plan)
    assert (again.exit_code, again.state, again.run_id) == (10, "applied", result.run_id)


def test_a_list_changed_since_the_plan_refuses_the_apply(bench: Callable[[str], Bench]) -> None:
    story = bench("story")
    plan = story.plan()
    story.lab.peers[1].trusted.reverse()
    with pytest.raises(StalePlan, match=re.escape(story.lab.peers[1].address)):
        story.apply(plan)
    assert story.lab.requests.writes == ()


def test_the_workaround_stays_on_while_a_peer_is_down(bench: Callable[[str], Bench]) -> None:
    story = bench("healthy")

    def turn(*, on: bool, force: bool = False) -> int:
        state = story.home / "state"
        return most_serious_code(
            set_workaround(story.cluster, on=on, force=force, state_dir=state, limits=QUICK, environment=story.environment)
        )

    assert turn(on=True) == 0
    assert {peer.leaves["EdgeConfigServer VerifyOriginServer"] for peer in story.lab.peers} == {"Off"}
    story.lab.faults.down(story.lab.peers[1].address)
    # What a peer would do that nobody can look at, nobody knows
    with pytest.raises(NotVerified, match=re.escape(story.lab.peers[1].address)):
        turn(on=False)
    assert {peer.leaves["EdgeConfigServer VerifyOriginServer"] for peer in story.lab.peers} == {"Off"}
    assert turn(on=False, force=True) == 8
    story.lab.faults.up(story.lab.peers[1].address)
    assert turn(on=False) == 0
    assert {peer.leaves["EdgeConfigServer VerifyOriginServer"] for peer in story.lab.peers} == {"On"}


def test_only_peers_that_answered_502_restart_one_at_a_time(tmp_path: Path) -> None:
    # Given the story with the real traffic server where there is one, the first of the three reloading its list by itself
    with ExitStack() as stack:
        story = Bench(tmp_path, "story", stack, judge=None, reloads=False)
        plan = story.plan()
        first, second, third = (peer.address for peer in story.lab.peers)
        story.lab.faults.reload_by_itself(first)
        # When the plan is applied
        result = story.apply(plan, restart="if-needed")
        # Then those two restarted, once
        assert (result.exit_code, result.state) == (10, "applied")
        assert [peer.restarts for peer in story.lab.peers] == [0, 1, 1]
        # And the second let clients through again before the third was told to restart
        log = [(request.peer, request.transport, request.path.rpartition("/")[2]) for request in story.lab.requests]
        restarted = log.index((third, "rest", "restart"))
        assert (second, "rest", "restart") in log[:restarted]
        assert not [entry for entry in log[restarted:] if entry[0] == second and entry[1] == "mra"]
        assert story.asked_of(second)[-1].startswith("imp.steven.lab")
        # And through every peer, every endpoint is as the plan says
        answers = story.lab.ask_all()
        assert {
            answers[endpoint.peer, endpoint.address, endpoint.port].status for endpoint in plan.endpoints if endpoint.after.ok
        } == {200}
        # When it is applied again, Then nobody is asked or restarted
        story.lab.requests.clear()
        assert story.apply(plan).exit_code == 10
        assert [story.asked_of(peer) for peer in (first, second, third)] == [[], [], []]
        assert story.lab.requests.writes == ()


def test_a_tunnel_that_is_down_restarts_no_peer(bench: Callable[[str], Bench]) -> None:
    # Given a second peer that goes on with its old list, and whose tunnel is down
    story = bench("story")
    plan = story.plan()
    second = story.lab.peers[1]
    story.lab.faults.trust_waits_for_restart(second.address)
    second.condition.tunnels = dict.fromkeys(second.condition.tunnels, False)
    # When the plan is applied, Then nothing restarts: its effect is not known, and that of the others is
    result = story.apply(plan)
    assert (result.exit_code, [peer.restarts for peer in story.lab.peers]) == (11, [0, 0, 0])
    states = [effect.state for effect in result.effects]
    assert states == [EffectState.YES, EffectState.NOT_KNOWN, EffectState.YES]
    assert "the answer to the sign-in did not come from the peer" in result.effects[1].description


def test_a_refused_sign_in_is_sent_once_and_decides_nothing(bench: Callable[[str], Bench]) -> None:
    # Given an account that the Expressways refuse
    story = bench("story")
    (story.home / "lab" / "secrets" / "mra").write_text("wrong\n")
    # When a plan is applied, Then one sign-in was sent in all, and no peer is known to be in effect
    result = story.apply(story.plan())
    assert (result.exit_code, {effect.state for effect in result.effects}) == (11, {EffectState.NOT_KNOWN})
    assert [len(edge.front.sign_ins) for edge in story.lab.edges] == [1, 0, 0]
    assert [len(edge.front.strikes) for edge in story.lab.edges] == [1, 0, 0]


def test_behind_one_edge_no_answer_is_about_one_peer(bench: Callable[[str], Bench]) -> None:
    # Given one Expressway-E for all peers, one of which goes on with its old list
    story = bench("one-edge")
    plan = story.plan()
    story.lab.faults.trust_waits_for_restart(story.lab.peers[1].address)
    # When the plan is applied, Then no client is asked, no peer restarts, and why is said of each
    result = story.apply(plan)
    assert (result.exit_code, [peer.restarts for peer in story.lab.peers]) == (11, [0, 0, 0])
    assert story.lab.edges[0].front.sign_ins == []
    for effect in result.effects:
        assert effect.state is EffectState.NOT_KNOWN
        assert "an answer does not show which peer gave it" in effect.description


def test_a_run_keeps_no_session_of_its_client(bench: Callable[[str], Bench]) -> None:
    # Given a run whose client signed in
    story = bench("story")
    story.apply(story.plan())
    cookies = [cookie for edge in story.lab.edges for cookie in edge.front.sessions]
    assert len(cookies) == 3
    # When the state directory is looked through, Then neither a cookie nor the password is in it
    content = b"".join(path.read_bytes() for path in (story.home / "state").rglob("*") if path.is_file())
    for secret in (*cookies, story.lab.accounts.mra_password):
        assert secret.encode() not in content
    assert [len(edge.front.sign_ins) for edge in story.lab.edges] == [1, 1, 1]


def test_the_effect_on_a_peer_without_a_way_is_not_known(bench: Callable[[str], Bench]) -> None:
    # Given an inventory whose way through the second peer leads nowhere
    story = bench("story")
    plan = story.plan()
    first, second, third = story.cluster.peers
    assert second.mra is not None
    story.cluster = replace(story.cluster, peers=(first, replace(second, mra=replace(second.mra, port=1)), third))
    story.lab.faults.trust_waits_for_restart(second.address)
    # When the plan is applied, Then nothing restarts, and nothing that was done is undone for it
    result = story.apply(plan)
    assert (result.exit_code, [effect.state.value for effect in result.effects]) == (11, ["yes", "not-known", "yes"])
    assert [peer.restarts for peer in story.lab.peers] == [0, 0, 0]
    sign_in, *requests = story.asked_of(first.address)
    assert sign_in == "steven.lab/get_edge_config"
    fixed = {f"{endpoint.address}/{endpoint.port}" for endpoint in plan.endpoints if _is_fixed(endpoint)}
    assert requests
    assert set(requests) <= fixed


def _is_fixed(forecast: EndpointForecast) -> bool:
    return forecast.after.ok and not forecast.before.ok


def test_a_crowded_list_keeps_its_cas_and_its_crl(tmp_path: Path) -> None:
    # Given lists of 300 other CAs and a CRL each, with subject lines between the blocks
    with ExitStack() as stack:
        bench = Bench(tmp_path, "crowded", stack)
        before = bench.lists()
        plan = bench.plan()
        root = bench.lab.pki.certificate("root").fingerprint
        assert any("Revocation may count too" in note for note in plan.notes)
        # When the root is added where it is missing
        result = bench.apply(plan, restart="never")
        # Then nothing else in any list changed, and each list is saved with its CRL
        assert result.state == "applied"
        assert bench.lists() == [*before[:2], (*before[2], root)]
        assert [len(peer.revocation_lists) for peer in bench.lab.peers] == [1, 1, 1]
        saved = sorted((tmp_path / "state" / "backups" / result.run_id).iterdir())
        parsed = [parse_certificate_list(path.read_text(), path.name) for path in saved]
        assert [len(listed.certificates) for listed in parsed] == [302, 302, 301]
        assert [list(listed.revocation_lists) for listed in parsed] == [peer.revocation_lists for peer in bench.lab.peers]


def test_a_peer_whose_list_is_full_is_written_to_by_nothing(tmp_path: Path) -> None:
    with ExitStack() as stack:
        bench = Bench(tmp_path, "crowded", stack)
        bench.lab.peers[2].trusted[:] = bystanders(MAX_TRUSTED_CA)
        plan = bench.plan()
        bench.lab.requests.clear()

        with pytest.raises(ListFull, match="it would hold 1001, and Expressway allows 1000"):
            bench.apply(plan)

        assert not [request for request in bench.lab.requests if request.write]
