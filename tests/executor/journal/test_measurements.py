"""What a run measured stays in the journal, for its report."""

from __future__ import annotations

from remediate.executor.journal.measurements import load_measurements, record_measurements
from remediate.executor.journal.store import FILE_NAME, Journal
from remediate.model.effect import ClientState, ClientView
from remediate.model.identity import Address
from remediate.model.measurement import PairMeasurement, measure_pairs
from remediate.model.verdict import Cause, Verdict
from tests.executor.clusters import plan_for, story
from tests.executor.conftest import Desk
from tests.executor.old_journals import take_back_to

REFUSED = Verdict(False, Cause.EXPIRED, "certificate has expired", 10, 0, key="rsa")


def test_an_apply_records_what_it_measured_before_and_after(desk: Desk) -> None:
    cluster = story()

    result = desk.apply(cluster, plan_for(cluster))

    with Journal(desk.state_dir) as journal:
        measured = load_measurements(journal, result.run_id)
    assert measured == measure_pairs(result.verdicts_before, result.verdicts, result.client_views)
    assert len(measured) == len(result.verdicts) > 0
    assert any(pair.before and not pair.before.ok and pair.after.ok for pair in measured)


def test_a_measurement_is_read_as_it_was_written(desk: Desk) -> None:
    cluster = story(peers=1)
    run = desk.apply(cluster, plan_for(cluster)).run_id
    view = ClientView(ClientState.REFUSED, "502 from the edge")
    pairs = (PairMeasurement(Address("2001:db8::9"), 8443, Address("expc1"), None, REFUSED, view),)

    with Journal(desk.state_dir, writable=True) as journal:
        record_measurements(journal, run, pairs)
        assert load_measurements(journal, run) == pairs


def test_a_run_of_an_earlier_version_has_no_measurement(desk: Desk) -> None:
    cluster = story(peers=1)
    run = desk.apply(cluster, plan_for(cluster)).run_id
    take_back_to(desk.state_dir / FILE_NAME, 8)

    with Journal(desk.state_dir) as journal:
        assert load_measurements(journal, run) == ()
