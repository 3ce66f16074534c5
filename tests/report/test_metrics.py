"""The metrics of a look: names and values that alerts are written against, and nothing that was not seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from remediate.model.effect import ClientState, ClientView, EffectSource, EffectState, PeerEffect
from remediate.model.exit_codes import ExitCode
from remediate.model.identity import Address
from remediate.model.snapshot import Snapshot
from remediate.planner import make_plan
from remediate.report.metrics import ClusterLook, format_metrics
from tests.pki import NOW, Entity, issue
from tests.planner.build import endpoint, peer, snapshot

ROOT = issue("Root", ca=True, lasts=timedelta(days=500))
LEAF = issue("cucm.test", ROOT, names=("cucm.test",))
SELF_SIGNED = issue("imp.test", names=("imp.test",))

Samples = dict[tuple[str, ...], float]


@pytest.fixture
def observed() -> Snapshot:
    entities: list[Entity] = [ROOT, LEAF, SELF_SIGNED]
    peers = [peer(1, [ROOT]), replace(peer(2, []), verify_origin_server=False)]
    return snapshot(peers, [endpoint("cucm.test", rsa=[LEAF]), endpoint("imp.test", rsa=[SELF_SIGNED])], entities)


def look(observed: Snapshot) -> ClusterLook:
    return ClusterLook("edge", ExitCode.CHANGES_PENDING, NOW, observed, make_plan(observed))


def samples_of(*looks: ClusterLook) -> dict[str, Samples]:
    """Return the samples by name, each with the values of its labels but the cluster's."""
    families: dict[str, Samples] = {}
    for family in text_string_to_metric_families(format_metrics(looks)):
        for sample in family.samples:
            key = tuple(value for label, value in sample.labels.items() if label != "cluster")
            families.setdefault(sample.name, {})[key] = sample.value
    return families


def test_checks_are_counted_by_peer_and_verdict(observed: Snapshot) -> None:
    checks = samples_of(look(observed))["remediate_checks"]

    assert checks["expc1.test", "verified"] == 1
    assert checks["expc1.test", "refused"] == 1
    assert checks["expc2.test", "verified"] == 0
    assert checks["expc2.test", "unseen"] == 0


def test_each_look_has_its_exit_code_and_its_time(observed: Snapshot) -> None:
    samples = samples_of(look(observed))

    assert samples["remediate_exit_code"] == {(): 2.0}
    assert samples["remediate_look_timestamp_seconds"] == {(): NOW.timestamp()}
    assert samples["remediate_complete"] == {(): 1.0}


def test_a_look_that_failed_has_an_exit_code_and_no_verdict() -> None:
    samples = samples_of(ClusterLook("edge", ExitCode.ERROR, NOW))

    assert samples["remediate_exit_code"] == {(): 1.0}
    assert "remediate_checks" not in samples


def test_drift_and_workaround_are_seen_per_peer(observed: Snapshot) -> None:
    samples = samples_of(look(observed))

    assert samples["remediate_trusted_list_differs"] == {("expc1.test",): 0.0, ("expc2.test",): 1.0}
    assert samples["remediate_workaround_on"] == {("expc1.test",): 0.0, ("expc2.test",): 1.0}


def test_a_peer_that_was_not_read_has_no_list(observed: Snapshot) -> None:
    down = replace(observed.peers[1], error="unreachable: it is down", trusted_ca=())
    samples = samples_of(look(replace(observed, peers=(observed.peers[0], down))))

    assert samples["remediate_peer_observed"] == {("expc1.test",): 1.0, ("expc2.test",): 0.0}
    assert ("expc2.test",) not in samples["remediate_trusted_list_differs"]
    assert samples["remediate_checks"]["expc2.test", "unseen"] == 2


def test_each_certificate_ends_at_its_moment(observed: Snapshot) -> None:
    ends = samples_of(look(observed))["remediate_certificate_end_timestamp_seconds"]

    assert ROOT.certificate.not_after is not None
    assert ends["Root", ROOT.certificate.fingerprint, "trusted"] == ROOT.certificate.not_after.timestamp()
    assert ("cucm.test", LEAF.certificate.fingerprint, "presented") in ends


def test_clients_and_effect_are_counted(observed: Snapshot) -> None:
    pairs = [forecast.pair for forecast in make_plan(observed).endpoints if forecast.peer == "expc1.test"]
    views = {pairs[0]: ClientView(ClientState.REACHED), pairs[1]: ClientView(ClientState.REFUSED)}
    effect = PeerEffect(Address("expc1.test"), EffectState.NOT_KNOWN, EffectSource.START)

    samples = samples_of(replace(look(observed), client_views=views, effects=(effect,)))

    assert samples["remediate_clients"] == {("expc1.test", "reached"): 1.0, ("expc1.test", "refused"): 1.0}
    assert samples["remediate_in_effect"] == {
        ("expc1.test", "yes"): 0.0,
        ("expc1.test", "no"): 0.0,
        ("expc1.test", "not-known"): 1.0,
    }


def test_a_hostile_name_stays_one_label(observed: Snapshot) -> None:
    hostile = issue('x"\n# HELP evil', ROOT, names=("cucm.test",))
    certificates = {**observed.certificates, hostile.certificate.fingerprint: hostile.certificate}
    endpoint = replace(observed.endpoints[0], presented={"rsa": (hostile.certificate.fingerprint,)})

    samples = samples_of(look(replace(observed, endpoints=(endpoint,), certificates=certificates)))

    assert not any("evil" in name for name in samples)
    assert any("evil" in label for labels in samples["remediate_certificate_end_timestamp_seconds"] for label in labels)
