"""What `verify` says of the time to come, and to a monitoring system."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from remediate.lab import Lab
from tests.cli.conftest import Remediate

pytestmark = pytest.mark.lab


def test_verify_says_when_the_calendar_breaks_what_works(remediate: Remediate, lab: Lab) -> None:
    ended = remediate("verify", "-i", lab.inventory, "--no-clients", "--horizon", "3650d", "--json", "-q")

    [cluster] = ended.document["clusters"]
    assert cluster["future"]
    assert all(change["because"] and change["at"].endswith("Z") for change in cluster["future"])
    assert ended.code == 10


def test_without_a_horizon_nothing_is_reported(remediate: Remediate, lab: Lab) -> None:
    ended = remediate("verify", "-i", lab.inventory, "--no-clients", "--json", "-q")

    assert ended.document["clusters"][0]["future"] is None


@pytest.mark.parametrize("text", ["90", "0d", "3h", "9999999d", "soon"])
def test_a_horizon_that_is_no_number_of_days_is_refused(text: str, remediate: Remediate, lab: Lab) -> None:
    ended = remediate("verify", "-i", lab.inventory, "--horizon", text)

    assert ended.code == 64
    assert text in ended.err


def test_metrics_are_written_for_another_user_to_read(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    target = tmp_path / "remediate.prom"

    ended = remediate("verify", "-i", lab.inventory, "--no-clients", "--metrics", target, "-q")

    samples = {
        (sample.name, sample.labels.get("peer"), sample.labels.get("verdict")): sample.value
        for family in text_string_to_metric_families(target.read_text())
        for sample in family.samples
    }
    assert samples["remediate_exit_code", None, None] == ended.code
    assert samples["remediate_checks", lab.peers[0].address, "refused"] > 0
    assert target.stat().st_mode & 0o777 == 0o644
